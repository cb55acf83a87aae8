import type { Clock } from "../../../shared/clock.ts";
import { KindlingError } from "../../../shared/errors.ts";
import { sha256Hex } from "../../../shared/hash.ts";
import { type BlobHash, type ChunkKey, type JobId, jobOfTask, taskOfChunk } from "../../../shared/ids.ts";
import type { ChunkRef, PeerIdentity } from "../../../shared/protocol/messages.ts";
import type { OpenPeerTransport, PeerChannel, PeerTransport } from "./channel.ts";
import { PeerLink } from "./link.ts";
import { PartialChunk } from "./partial-chunk.ts";

/** ms in which a connection must come about; the relay takes over then. */
export const CONNECT_MS = 5_000;
/** The same for a connection that broke in the middle: it took a while to notice. */
export const RECONNECT_MS = 2_000;
/** ms in which a peer that could not be reached, or sent wrong bytes, is not tried again. */
export const SHUN_MS = 60_000;

export interface ExchangeOptions {
  readonly open: OpenPeerTransport;
  readonly clock: Clock;
  /** Asks the coordinator for a ticket; `ticket` brings the answer. */
  readonly dial: (job: JobId, peer: string) => void;
  /** An encoded chunk that is held here. */
  readonly held: (key: ChunkKey, hash: BlobHash) => Uint8Array | undefined;
  readonly sent: (bytes: number) => void;
}

/** All of a chunk, checked against its hash, or what peers could give of it. */
export type PeerFetch =
  | { readonly complete: true; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly complete: false; readonly start: Uint8Array<ArrayBuffer> };

/**
 * Passes chunks between nodes: connects to holders with tickets of the coordinator, keeps one connection for each pair and job, and
 * serves what is held here. It never fails a task: what it cannot bring, the relay must.
 */
export class PeerExchange {
  readonly #options: ExchangeOptions;
  #identity: PeerIdentity | undefined;
  #transport: PeerTransport | undefined;
  readonly #links = new Map<string, Promise<PeerLink>>();
  readonly #open = new Set<{ readonly job: JobId; readonly link: PeerLink }>();
  readonly #tickets = new Map<string, PromiseWithResolvers<string>>();
  /** When a peer may be tried again. */
  readonly #shunned = new Map<string, number>();
  /** Until when no connection is tried at all: this node never had one, and one has failed. */
  #blockedUntil = 0;
  #everConnected = false;

  constructor(options: ExchangeOptions) {
    this.#options = options;
  }

  /** Who this node is to others from now on; undefined where it takes part no more. */
  join(identity: PeerIdentity | undefined): void {
    if (identity?.id === this.#identity?.id && identity?.token === this.#identity?.token) return;
    this.close();
    this.#identity = identity;
  }

  /** Another node is about to connect. */
  listen(): void {
    this.#ready()?.listen();
  }

  /** The coordinator's answer to a dial. */
  ticket(job: JobId, peer: string, ticket: string | null): void {
    const waiting = this.#tickets.get(linkKey(job, peer));
    if (ticket !== null) waiting?.resolve(ticket);
    else waiting?.reject(new KindlingError("PeerRefused", "The coordinator brings these nodes not together"));
  }

  /**
   * Fetches a chunk from its holders, one after the other. Rejects only with the signal's reason. Connecting takes no longer than
   * CONNECT_MS, however many holders there are.
   */
  async fetch(ref: ChunkRef, signal: AbortSignal): Promise<PeerFetch> {
    const { key, hash, bytes, holders = [] } = ref;
    const chunk = new PartialChunk(bytes);
    if (hash === null || this.#ready() === undefined) return { complete: false, start: chunk.bytes };
    const job = jobOfTask(taskOfChunk(key));
    const { clock } = this.#options;
    let deadline = clock.now() + CONNECT_MS;
    for (const peer of holders) {
      while (!this.#isShunned(peer)) {
        const link = await this.#link(job, peer, deadline, signal);
        if (link === undefined) break;
        const end = await link.fetch(key, hash, chunk, signal);
        if (end === "complete") {
          if ((await sha256Hex(chunk.bytes)) === hash) return { complete: true, bytes: chunk.bytes };
          chunk.discard();
          this.#shun(peer);
          break;
        }
        if (end === "refused") break;
        // A connection that broke in the middle, be it of another chunk, is made once more; one that brought nothing is not.
        if (link.hasBrought) deadline = clock.now() + RECONNECT_MS;
        else this.#shun(peer);
      }
    }
    return { complete: false, start: chunk.bytes };
  }

  /** The job is over: its connections are of no more use. */
  forget(job: JobId): void {
    for (const { job: of, link } of [...this.#open]) if (of === job) link.close();
  }

  close(): void {
    for (const { link } of [...this.#open]) link.close();
    this.#transport?.close();
    this.#transport = undefined;
    this.#links.clear();
    for (const waiting of this.#tickets.values()) waiting.reject(new KindlingError("Closed", "The node has left"));
    this.#shunned.clear();
    this.#blockedUntil = 0;
    this.#everConnected = false;
  }

  #ready(): PeerTransport | undefined {
    if (this.#identity === undefined) return undefined;
    this.#transport ??= this.#options.open(this.#identity, (peer, job, channel) => {
      const link = this.#adopt(job, peer, channel);
      // What it asks for may come over the same connection that it asks by.
      const known = this.#links.get(linkKey(job, peer));
      if (known === undefined) this.#links.set(linkKey(job, peer), Promise.resolve(link));
    });
    return this.#transport;
  }

  /** The connection to a peer, new where there is none; undefined, and the peer shunned, where there can be none. */
  async #link(job: JobId, peer: string, deadline: number, signal: AbortSignal): Promise<PeerLink | undefined> {
    const key = linkKey(job, peer);
    const { clock } = this.#options;
    for (;;) {
      const left = deadline - clock.now();
      if (left <= 0) return undefined;
      const linking = this.#links.get(key) ?? this.#connect(job, peer);
      this.#links.set(key, linking);
      try {
        const link = await within(clock, left, linking);
        if (!link.isClosed) return link;
      } catch (error) {
        this.#shun(peer);
        const refused = error instanceof KindlingError && error.code === "PeerRefused";
        if (!this.#everConnected && !refused) this.#blockedUntil = clock.now() + SHUN_MS;
        return undefined;
      } finally {
        signal.throwIfAborted();
      }
      this.#drop(key, linking);
    }
  }

  async #connect(job: JobId, peer: string): Promise<PeerLink> {
    const { clock, dial } = this.#options;
    const transport = this.#ready();
    if (transport === undefined) throw new KindlingError("Closed", "The node has left");
    const key = linkKey(job, peer);
    const answer = Promise.withResolvers<string>();
    this.#tickets.set(key, answer);
    const stop = new AbortController();
    const cancel = clock.after(CONNECT_MS, () => stop.abort(new KindlingError("PeerUnreachable", "No connection")));
    try {
      // At the signalling server while the ticket comes.
      transport.listen();
      dial(job, peer);
      const ticket = await within(clock, CONNECT_MS, answer.promise);
      return this.#adopt(job, peer, await transport.connect(peer, { job, ticket }, stop.signal));
    } catch (error) {
      this.#links.delete(key);
      throw error;
    } finally {
      cancel();
      this.#tickets.delete(key);
    }
  }

  #adopt(job: JobId, peer: string, channel: PeerChannel): PeerLink {
    const { clock, held, sent } = this.#options;
    const key = linkKey(job, peer);
    this.#everConnected = true;
    this.#blockedUntil = 0;
    this.#shunned.delete(peer);
    const link = new PeerLink({
      channel,
      clock,
      sent,
      // The connection was allowed for one job: it gives nothing of another.
      serve: (chunk, hash) => (jobOfTask(taskOfChunk(chunk)) === job ? held(chunk, hash) : undefined),
      closed: () => {
        this.#open.delete(entry);
        const linking = this.#links.get(key);
        linking?.then(
          (current) => current === link && this.#drop(key, linking),
          () => {},
        );
      },
    });
    const entry = { job, link };
    this.#open.add(entry);
    return link;
  }

  #drop(key: string, linking: Promise<PeerLink>): void {
    if (this.#links.get(key) === linking) this.#links.delete(key);
  }

  /** A node that never reached anybody does not try each peer in turn: its network lets no connection through. */
  #isShunned(peer: string): boolean {
    const now = this.#options.clock.now();
    return this.#blockedUntil > now || (this.#shunned.get(peer) ?? 0) > now;
  }

  #shun(peer: string): void {
    this.#shunned.set(peer, this.#options.clock.now() + SHUN_MS);
  }
}

const linkKey = (job: JobId, peer: string): string => `${job}/${peer}`;

/** The promise's outcome, or a rejection after `ms`. */
async function within<T>(clock: Clock, ms: number, promise: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const cancel = clock.after(ms, () => late.reject(new KindlingError("PeerUnreachable", `Nothing within ${ms} ms`)));
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    cancel();
  }
}
