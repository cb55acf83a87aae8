import type { DataConnection, Peer, PeerOptions } from "peerjs";
import { KindlingError } from "../../../shared/errors.ts";
import { type JobId, jobId } from "../../../shared/ids.ts";
import type { PeerIdentity } from "../../../shared/protocol/messages.ts";
import type { Incoming, Introduction, PeerChannel, PeerTransport } from "./channel.ts";
import { inboxOf, rtcChannel } from "./rtc-channel.ts";

/** What is used of the library. */
export interface PeerJs {
  readonly Peer: new (id: string, options: PeerOptions) => Peer;
}

export interface PeerJsOptions {
  /** Origin of the coordinator, whose port is the signalling server's too. */
  readonly url: string;
  readonly identity: PeerIdentity;
  readonly incoming: Incoming;
  /** Gives the library, which is loaded when it is first needed. */
  readonly load: () => Promise<PeerJs>;
}

/** No server but the coordinator is ever asked: two nodes that find no way to each other use the relay. */
const CONFIG: RTCConfiguration = { iceServers: [] };

/** Connections through PeerJS, in a page or in a process that has WebRTC among its globals. */
export function createPeerJsTransport({ url, identity, incoming, load }: PeerJsOptions): PeerTransport {
  let opening: Promise<Peer> | undefined;
  let closed = false;
  /** Connections under way, by the peer that they lead to. */
  const failures = new Map<string, Set<(error: Error) => void>>();

  async function make(): Promise<Peer> {
    const { Peer } = await load();
    const { hostname, port, protocol } = new URL(url);
    const secure = protocol === "https:";
    const peer = new Peer(identity.id, {
      host: hostname,
      port: port === "" ? (secure ? 443 : 80) : Number(port),
      path: "/api/peer",
      secure,
      token: identity.token,
      config: CONFIG,
      debug: 0,
    });
    // Without a listener an error would be thrown at nobody. What it ends is told by the connections themselves.
    peer.on("error", (error) => {
      const [, to = ""] = /peer ([0-9a-f]{32})$/.exec(error.message) ?? [];
      for (const fail of failures.get(to) ?? []) fail(error);
    });
    peer.on("connection", (connection) => accept(connection));
    return peer;
  }

  function accept(connection: DataConnection): void {
    let job: JobId;
    try {
      job = jobId((connection.metadata as { readonly job: string }).job);
    } catch {
      connection.close();
      return;
    }
    const inbox = inboxOf(connection);
    connection.once("open", () => incoming(connection.peer, job, rtcChannel(connection, inbox)));
  }

  /** The peer while it is at the signalling server. */
  async function ready(): Promise<Peer> {
    opening ??= make();
    const peer = await opening;
    if (closed || peer.destroyed) {
      opening = undefined;
      if (closed) throw new KindlingError("Closed", "The node has left");
      return ready();
    }
    if (peer.disconnected) peer.reconnect();
    if (!peer.open) {
      await new Promise<void>((resolve, reject) => {
        peer.once("open", () => resolve());
        peer.once("disconnected", () => reject(new KindlingError("PeerUnreachable", "No signalling server")));
        peer.once("close", () => reject(new KindlingError("PeerUnreachable", "No signalling server")));
      });
    }
    return peer;
  }

  async function connect(to: string, introduction: Introduction, signal: AbortSignal): Promise<PeerChannel> {
    const peer = await ready();
    signal.throwIfAborted();
    const connection = peer.connect(to, { metadata: introduction, serialization: "raw", reliable: true });
    const inbox = inboxOf(connection);
    const { promise, resolve, reject } = Promise.withResolvers<PeerChannel>();
    const abort = (): void => reject(signal.reason as Error);
    const waiting = failures.get(to) ?? new Set();
    failures.set(to, waiting.add(reject));
    signal.addEventListener("abort", abort, { once: true });
    connection.once("open", () => resolve(rtcChannel(connection, inbox)));
    connection.once("error", reject);
    connection.once("close", () => reject(new KindlingError("PeerUnreachable", "The connection closed")));
    try {
      return await promise;
    } catch (error) {
      connection.close();
      throw error;
    } finally {
      waiting.delete(reject);
      if (waiting.size === 0) failures.delete(to);
      signal.removeEventListener("abort", abort);
    }
  }

  return {
    listen: () => void ready().catch(() => {}),
    connect,
    close() {
      closed = true;
      void opening?.then((peer) => peer.destroy()).catch(() => {});
    },
  };
}
