import * as z from "zod";
import type { Clock } from "../../shared/clock.ts";
import type { CloseKind } from "../../shared/protocol/channel.ts";
import { tokenBucket } from "./rate-limit.ts";
import type { PeerService } from "./services.ts";

/** Messages a second that one node may send for long, and at once: an offer brings some twenty candidates. */
const MESSAGES_PER_SECOND = 50;
const MESSAGE_BURST = 500;
/** ms that a message waits for a node that is not there yet; it may be loading its WebRTC. */
const WAIT_MS = 5_000;
/** Messages that may wait for one node. */
const MAX_WAITING = 64;
/** ms without a message after which a line counts as dead. Pages in the background may speak once a minute. */
const SILENT_MS = 150_000;
/** Offers of one node that are remembered; the oldest go first. */
const MAX_CALLS = 256;

const peer = z.string().regex(/^[0-9a-f]{32}$/);
const connectionId = z.string().min(1).max(64);
const text = (max: number) => z.string().max(max);
const sdp = z.object({ type: text(16), sdp: text(48 * 1024) });

/** What PeerJS says; fields that it does not need are not passed on. */
const fromNode = z.discriminatedUnion("type", [
  z.object({ type: z.enum(["HEARTBEAT", "LEAVE", "EXPIRE"]) }),
  z.object({
    type: z.literal("OFFER"),
    dst: peer,
    payload: z.object({
      sdp,
      type: z.literal("data"),
      connectionId,
      metadata: z.object({ job: text(64), ticket: text(64) }),
      label: text(64),
      reliable: z.literal(true),
      serialization: z.literal("raw"),
    }),
  }),
  z.object({
    type: z.literal("ANSWER"),
    dst: peer,
    payload: z.object({ sdp, type: z.literal("data"), connectionId }),
  }),
  z.object({
    type: z.literal("CANDIDATE"),
    dst: peer,
    payload: z.object({
      candidate: z.object({
        candidate: text(1024),
        sdpMid: text(64).nullish(),
        sdpMLineIndex: z.number().int().min(0).max(64).nullish(),
        usernameFragment: text(256).nullish(),
      }),
      type: z.literal("data"),
      connectionId,
    }),
  }),
]);
type FromNode = z.output<typeof fromNode>;

/** A node's connection to the signalling server. */
export interface Line {
  send(text: string): void;
  close(kind: CloseKind, detail: string): void;
}

interface Connected {
  readonly line: Line;
  /** Connections that this node offered: to whom. */
  readonly calls: Map<string, string>;
}

interface Waiting {
  readonly text: string;
  cancel(): void;
}

/**
 * The signalling server of PeerJS's clients: passes offers that have a ticket, and between the two ends of such an offer what belongs to
 * it. Everything else stops here, so that no node learns of another that it has nothing to do with.
 */
export class Switchboard {
  readonly #peers: PeerService;
  readonly #clock: Clock;
  readonly #lines = new Map<string, Connected>();
  readonly #waiting = new Map<string, Waiting[]>();

  constructor(peers: PeerService, clock: Clock) {
    this.#peers = peers;
    this.#clock = clock;
  }

  admits(id: string, token: string): boolean {
    return this.#peers.admits(id, token);
  }

  /** Takes a node's line, which replaces an older one of the same node. */
  connect(id: string, line: Line): { receive(text: string): void; gone(): void } {
    this.#lines.get(id)?.line.close("replaced", "The node connected anew");
    const connected: Connected = { line, calls: new Map() };
    this.#lines.set(id, connected);
    const bucket = tokenBucket(MESSAGES_PER_SECOND, MESSAGE_BURST, this.#clock);
    let cancelSilence = (): void => {};
    const listen = (): void => {
      cancelSilence();
      cancelSilence = this.#clock.after(SILENT_MS, () => line.close("silent", "Nothing was heard for too long"));
    };
    listen();
    line.send(JSON.stringify({ type: "OPEN" }));
    for (const { text, cancel } of this.#waiting.get(id) ?? []) {
      cancel();
      line.send(text);
    }
    this.#waiting.delete(id);
    return {
      receive: (message) => {
        listen();
        if (!bucket.take()) return line.close("limit", "Too many messages");
        const parsed = fromNode.safeParse(parseJson(message));
        if (parsed.success) this.#pass(id, connected, parsed.data);
        else line.close("malformed", "This is no message of a PeerJS client");
      },
      gone: () => {
        cancelSilence();
        if (this.#lines.get(id) === connected) this.#lines.delete(id);
      },
    };
  }

  #pass(from: string, connected: Connected, message: FromNode): void {
    switch (message.type) {
      case "OFFER": {
        const { metadata, connectionId: call, ...payload } = message.payload;
        const job = this.#peers.redeem(metadata.ticket, from, message.dst);
        if (job === null || job !== metadata.job || connected.calls.has(call)) return this.#expire(from, message.dst);
        const [oldest] = connected.calls.keys();
        if (connected.calls.size >= MAX_CALLS && oldest !== undefined) connected.calls.delete(oldest);
        connected.calls.set(call, message.dst);
        return this.#deliver(from, message.dst, "OFFER", { ...payload, connectionId: call, metadata: { job } });
      }
      case "ANSWER":
      case "CANDIDATE": {
        const { dst, payload } = message;
        const isCaller = connected.calls.get(payload.connectionId) === dst && message.type === "CANDIDATE";
        const isCalled = this.#lines.get(dst)?.calls.get(payload.connectionId) === from;
        // Of an offer that did not pass, or whose caller is gone.
        if (!isCaller && !isCalled) return;
        return this.#deliver(from, dst, message.type, payload);
      }
      case "HEARTBEAT":
      case "LEAVE":
      case "EXPIRE":
        return;
    }
  }

  #deliver(src: string, dst: string, type: FromNode["type"], payload: object): void {
    const message = JSON.stringify({ type, src, dst, payload });
    const connected = this.#lines.get(dst);
    if (connected !== undefined) return connected.line.send(message);
    const queue = this.#waiting.get(dst) ?? [];
    if (queue.length >= MAX_WAITING) return this.#expire(src, dst);
    const waiting: Waiting = {
      text: message,
      cancel: this.#clock.after(WAIT_MS, () => {
        queue.splice(queue.indexOf(waiting), 1);
        if (queue.length === 0) this.#waiting.delete(dst);
        this.#expire(src, dst);
      }),
    };
    queue.push(waiting);
    this.#waiting.set(dst, queue);
  }

  /** Tells `from` that `to` is not to be had: whether it is there is nobody's business. */
  #expire(from: string, to: string): void {
    this.#lines.get(from)?.line.send(JSON.stringify({ type: "EXPIRE", src: to, dst: from }));
  }
}

function parseJson(message: string): unknown {
  try {
    return JSON.parse(message);
  } catch {
    return undefined;
  }
}
