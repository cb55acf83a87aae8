import type { Clock } from "../../../shared/clock.ts";
import { KindlingError } from "../../../shared/errors.ts";
import { type ChunkKey, type NodeId, taskOfChunk } from "../../../shared/ids.ts";
import type { ChunkRef, HeldChunk } from "../../../shared/protocol/messages.ts";
import type { ChunkTable } from "./chunks.ts";

/** ms after which a holder that has not delivered is asked again, or another one. */
const ASK_AGAIN_MS = 10_000;

export interface Holders {
  /** Live nodes that hold the output. */
  of(key: ChunkKey): readonly NodeId[];
  /** Asks a node to upload. */
  ask(node: NodeId, chunk: HeldChunk): void;
  /** No node has it: let lineage make it again. `node` said so, or null where there was none to ask. */
  missing(key: ChunkKey, node: NodeId | null): void;
}

/** A driver, which waits until the chunk was made again; a node, which reads it from the store; or nobody, but it would be lost. */
type For = "driver" | "node" | "nobody";

interface Awaited {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
  asked: NodeId | null;
  readonly for: Set<For>;
  /** Rejects for all but drivers, when no node has it. */
  held: PromiseWithResolvers<never>;
  cancelTimer: () => void;
}

/** Brings held chunks to the coordinator: asks a holder, waits for the bytes, and asks again when holders change. */
export class Delivery {
  readonly #chunks: ChunkTable;
  readonly #holders: Holders;
  readonly #clock: Clock;
  readonly #awaited = new Map<ChunkKey, Awaited>();

  constructor(chunks: ChunkTable, holders: Holders, clock: Clock) {
    this.#chunks = chunks;
    this.#holders = holders;
    this.#clock = clock;
  }

  /** Resolves when the chunk's bytes are here; rejects only when its job is over. */
  bring(ref: ChunkRef): Promise<void> {
    return this.#await(ref, "driver");
  }

  /**
   * As `bring`, but rejects with `InputUnavailable` as soon as no node has it. A task that waited for it on a node would keep its
   * place from the one that makes it again, and where all places are taken so, nothing would go on.
   */
  bringHeld(ref: ChunkRef): Promise<void> {
    return this.#bringHeld(ref, "node");
  }

  /** As `bringHeld`, for a chunk that goes with its node otherwise: where no node has it any more, it is not made again for that. */
  keep(ref: ChunkRef): Promise<void> {
    return this.#bringHeld(ref, "nobody");
  }

  #bringHeld(ref: ChunkRef, who: For): Promise<void> {
    const arrival = this.#await(ref, who);
    const awaited = this.#awaited.get(ref.key);
    if (!awaited) return arrival;
    if (awaited.asked === null) return Promise.reject(unavailable(ref.key));
    return Promise.race([arrival, awaited.held.promise]);
  }

  #await(ref: ChunkRef, who: For): Promise<void> {
    if (this.#chunks.isHere(ref)) return Promise.resolve();
    const known = this.#awaited.get(ref.key);
    if (known) {
      known.for.add(who);
      return known.promise;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    promise.catch(() => undefined); // Whoever asked may have gone meanwhile.
    const cancelTimer = (): void => undefined;
    const asked = null;
    this.#awaited.set(ref.key, { promise, resolve, reject, asked, for: new Set([who]), held: hope(), cancelTimer });
    this.#ask(ref.key);
    return promise;
  }

  /** Whether the chunk is awaited, and by drivers alone. */
  isForUsAlone(key: ChunkKey): boolean {
    const awaited = this.#awaited.get(key);
    return awaited?.for.size === 1 && awaited.for.has("driver");
  }

  arrived(key: ChunkKey): void {
    const awaited = this.#awaited.get(key);
    if (!awaited) return;
    this.#awaited.delete(key);
    awaited.cancelTimer();
    awaited.resolve();
  }

  /** The node cannot give the chunk. */
  refused(key: ChunkKey, node: NodeId): void {
    this.#holders.missing(key, node);
    if (this.#awaited.has(key)) this.#ask(key);
  }

  /**
   * Nodes came, went, or made the output again: whatever waits for somebody else now is asked for anew. So is what `cameBack` was
   * asked for, which may have been lost with its old connection.
   */
  holdersChanged(cameBack: NodeId | null = null): void {
    for (const [key, { asked }] of this.#awaited) {
      if (asked === null || asked === cameBack || !this.#holders.of(key).includes(asked)) this.#ask(key);
    }
  }

  /** Gives up what matches: its job is over. */
  end(isOfJob: (key: ChunkKey) => boolean, error: (key: ChunkKey) => unknown): void {
    for (const [key, awaited] of this.#awaited) {
      if (!isOfJob(key)) continue;
      this.#awaited.delete(key);
      awaited.cancelTimer();
      awaited.reject(error(key));
    }
  }

  #ask(key: ChunkKey): void {
    const awaited = this.#awaited.get(key);
    if (!awaited) return;
    const ref = this.#chunks.ref(taskOfChunk(key), Number(key.slice(key.lastIndexOf("/") + 1)));
    if (this.#chunks.isHere(ref)) {
      this.arrived(key);
      return;
    }
    awaited.cancelTimer();
    const nodes = this.#holders.of(key);
    const node = nodes.find((candidate) => candidate !== awaited.asked) ?? nodes[0] ?? null;
    awaited.asked = node;
    if (node !== null || awaited.for.has("driver")) {
      awaited.cancelTimer = this.#clock.after(ASK_AGAIN_MS, () => this.#ask(key));
    } else {
      this.#awaited.delete(key);
      awaited.reject(unavailable(key));
    }
    if (node !== null) {
      this.#holders.ask(node, { key, bytes: ref.bytes, hash: ref.hash });
      return;
    }
    awaited.held.reject(unavailable(key));
    awaited.held = hope();
    if (awaited.for.has("driver") || awaited.for.has("node")) this.#holders.missing(key, null);
  }
}

/** A promise that only ever rejects, and may do so unheard. */
function hope(): PromiseWithResolvers<never> {
  const resolvers = Promise.withResolvers<never>();
  resolvers.promise.catch(() => undefined);
  return resolvers;
}

const unavailable = (key: ChunkKey): KindlingError =>
  new KindlingError("InputUnavailable", `No node has ${key} any more; it is made again`, { retryable: true });
