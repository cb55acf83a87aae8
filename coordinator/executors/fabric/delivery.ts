import type { Clock } from "../../../shared/clock.ts";
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

interface Awaited {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
  asked: NodeId | null;
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
    if (this.#chunks.isHere(ref)) return Promise.resolve();
    const known = this.#awaited.get(ref.key);
    if (known) return known.promise;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    promise.catch(() => undefined); // Whoever asked may have gone meanwhile.
    this.#awaited.set(ref.key, { promise, resolve, reject, asked: null, cancelTimer: () => undefined });
    this.#ask(ref.key);
    return promise;
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
    awaited.cancelTimer = this.#clock.after(ASK_AGAIN_MS, () => this.#ask(key));
    if (node !== null) this.#holders.ask(node, { key, bytes: ref.bytes, hash: ref.hash });
    else this.#holders.missing(key, null);
  }
}
