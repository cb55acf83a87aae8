import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { Clock } from "../../../shared/clock.ts";
import { type JobId, type NodeId, nodeId } from "../../../shared/ids.ts";
import type { CloseReason, CoordinatorChannel } from "../../../shared/protocol/channel.ts";
import { type Hello, PROTOCOL_VERSION, type ToCoordinator } from "../../../shared/protocol/messages.ts";
import { isThisMachine } from "../../net/guard.ts";
import type { NodeService } from "../../net/services.ts";
import type { Log } from "../../observe/log.ts";
import type { Fabric } from "./fabric.ts";
import { NodeSession } from "./session.ts";

/** ms between a node's heartbeats, and how many missed ones make it lost. */
const HEARTBEAT_MS = 1000;
const MISSED_HEARTBEATS = 10;
/** ms in which a node that lost its connection may come back before its work goes elsewhere. */
const RESUME_GRACE_MS = 1500;
/** ms that a new connection has for its hello. */
const HELLO_MS = 10_000;

/** Sessions of nodes: who they are, whether they live, and what they say. */
export class Nodes implements NodeService {
  readonly #fabric: Fabric;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #mayJoin: (token: string, address: string) => boolean;
  readonly #graces = new Map<NodeId, () => void>();
  readonly #channels = new Set<CoordinatorChannel>();
  #stopWatching: () => void = () => undefined;

  constructor(fabric: Fabric, clock: Clock, log: Log, mayJoin: (token: string, address: string) => boolean) {
    this.#fabric = fabric;
    this.#clock = clock;
    this.#log = log;
    this.#mayJoin = mayJoin;
    this.#watch();
  }

  connect(channel: CoordinatorChannel, address: string): void {
    this.#channels.add(channel);
    const greeting: { session: NodeSession | null } = { session: null };
    const tooLate = this.#clock.after(HELLO_MS, () => channel.close({ kind: "silent", detail: "No hello in time" }));
    channel.onClose((reason) => {
      tooLate();
      this.#channels.delete(channel);
      if (greeting.session?.channel === channel) this.#disconnected(greeting.session, reason);
    });
    channel.onMessage((message) => {
      if (greeting.session) {
        this.#receive(greeting.session, message);
      } else if (message.type === "hello") {
        tooLate();
        greeting.session = this.#greet(channel, message, address);
      } else {
        channel.close({ kind: "malformed", detail: "The first message must be a hello" });
      }
    });
  }

  isNodeSecret(secret: string): boolean {
    for (const session of this.#fabric.nodes.values()) if (sameSecret(session.secret, secret)) return true;
    return false;
  }

  close(): void {
    this.#stopWatching();
    for (const cancel of this.#graces.values()) cancel();
    for (const channel of this.#channels) channel.close({ kind: "stopping", detail: "The coordinator stops" });
  }

  #greet(channel: CoordinatorChannel, hello: Hello, address: string): NodeSession | null {
    if (hello.protocol !== PROTOCOL_VERSION) {
      const detail = `This coordinator speaks protocol ${PROTOCOL_VERSION}, the node ${hello.protocol}`;
      channel.close({ kind: "version", detail });
      return null;
    }
    const known = hello.resume ? this.#fabric.nodes.get(hello.resume.node) : undefined;
    const resumes = known !== undefined && hello.resume !== undefined && sameSecret(known.secret, hello.resume.secret);
    if (!resumes && !this.#mayJoin(hello.token, address)) {
      channel.close({ kind: "unauthorized", detail: "The join token is not valid: ask for a new join link" });
      return null;
    }
    const id = resumes ? known.id : nodeId(`n-${randomBytes(6).toString("hex")}`);
    const secret = resumes ? known.secret : randomBytes(32).toString("base64url");
    const joinedAt = resumes ? known.joinedAt : Date.now();
    const session = new NodeSession(id, secret, hello, channel, this.#clock.now(), joinedAt);
    session.isOnThisMachine = isThisMachine(address);
    if (hello.peers === true) session.peer = (resumes ? known.peer : null) ?? this.#fabric.introductions.enrol();
    if (resumes) {
      session.tasksDone = known.tasksDone;
      this.#graces.get(id)?.();
      this.#graces.delete(id);
      const old = known.channel;
      known.channel = channel;
      old.close({ kind: "replaced", detail: "The node connected anew" });
    }
    const peer = session.peer === null ? {} : { peer: session.peer };
    channel.send({ type: "welcome", protocol: PROTOCOL_VERSION, node: id, secret, heartbeat: HEARTBEAT_MS, ...peer });
    this.#log.info(`${session.name} (${id}, ${hello.kind}, ${hello.slots} slots) ${resumes ? "is back" : "joined"}`);
    this.#fabric.joined(session);
    return session;
  }

  #receive(session: NodeSession, message: ToCoordinator): void {
    session.lastSeen = this.#clock.now();
    switch (message.type) {
      case "hello":
        session.channel.close({ kind: "malformed", detail: "A second hello" });
        return;
      case "results":
        for (const result of message.results) {
          if (result.ok) this.#fabric.succeeded(session.id, result);
          else this.#fabric.failed(session.id, result.attempt, result.error);
          session.units.delete(result.attempt);
        }
        this.#endIfLeft(session);
        return;
      case "heartbeat":
        session.units = new Map(message.running.map(({ attempt, units }) => [attempt, units]));
        this.#fabric.dispatch({ type: "Heartbeat", node: session.id, running: [...session.units.keys()] });
        // So that the node notices when the line is dead in one direction.
        session.channel.send({ type: "acknowledge", accepted: [], rejected: [] });
        this.#endIfLeft(session);
        return;
      case "availability":
        session.slots = message.slots;
        this.#fabric.dispatch({
          type: "SlotsChanged",
          node: session.id,
          slots: message.slots,
          released: message.released,
        });
        this.#endIfLeft(session);
        return;
      case "unavailable":
        this.#fabric.outputs.refused(session.id, message.chunks);
        return;
      case "dial":
        this.#dial(session, message.job, message.peer);
        return;
      case "leave":
        session.leaving = true;
        this.#fabric.dispatch({ type: "NodeLeaving", node: session.id });
        this.#endIfLeft(session);
        return;
    }
  }

  /** A node wants to connect to another: the one gets a ticket, the other hears that it is wanted. */
  #dial(reader: NodeSession, job: JobId, peer: string): void {
    const { nodes, introductions } = this.#fabric;
    const holder = [...nodes.values()].find((session) => session.peer?.id === peer);
    const isThere = holder !== undefined && !this.#graces.has(holder.id);
    const ticket = isThere && reader.peer ? introductions.ticket(job, reader.peer.id, peer) : null;
    if (ticket !== null) holder?.channel.send({ type: "listen" });
    reader.channel.send({ type: "ticket", job, peer, ticket });
  }

  /** A node that said it leaves goes when it owes nothing more, and nothing is needed of it. */
  #endIfLeft(session: NodeSession): void {
    if (!session.leaving || session.released || this.#fabric.owes(session.id) > 0) return;
    session.released = true;
    void this.#fabric.release(session.id).then(() => {
      session.channel.close({ kind: "normal", detail: "Thank you" });
    });
  }

  #disconnected(session: NodeSession, reason: CloseReason): void {
    if (session.leaving || reason.kind === "normal" || reason.kind === "stopping") {
      this.#lose(session, reason.detail || "left");
      return;
    }
    const cancel = this.#clock.after(RESUME_GRACE_MS, () => {
      this.#graces.delete(session.id);
      this.#lose(session, reason.detail || reason.kind);
    });
    this.#graces.set(session.id, cancel);
  }

  #lose(session: NodeSession, reason: string): void {
    this.#log.info(`${session.name} (${session.id}) is gone: ${reason}`);
    if (session.peer) this.#fabric.introductions.expel(session.peer.id);
    this.#fabric.lost(session.id, reason);
  }

  /** Half-open connections never close by themselves: silence does. */
  #watch(): void {
    this.#stopWatching = this.#clock.after(HEARTBEAT_MS, () => {
      const limit = this.#clock.now() - MISSED_HEARTBEATS * HEARTBEAT_MS;
      for (const session of this.#fabric.nodes.values()) {
        if (session.lastSeen < limit && !this.#graces.has(session.id)) {
          session.channel.close({
            kind: "silent",
            detail: `No heartbeat for ${(MISSED_HEARTBEATS * HEARTBEAT_MS) / 1000} s`,
          });
        }
      }
      this.#watch();
    });
  }
}

/** Compares in constant time, whatever the lengths. */
function sameSecret(a: string, b: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
