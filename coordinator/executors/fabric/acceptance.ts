import type { AttemptId, NodeId } from "../../../shared/ids.ts";
import type { Journal, OutputRecord } from "../../store/journal.ts";
import type { Patience } from "./patience.ts";

export interface PendingOutput {
  readonly record: OutputRecord;
  /** Whom to tell, if it came from a node just now. */
  readonly from: { readonly node: NodeId; readonly attempt: AttemptId } | null;
  /** Whether its stage waits for it: not for an output that was accepted before. */
  readonly awaited: boolean;
}

/** Outputs that one sync covers. */
interface Batch {
  readonly outputs: PendingOutput[];
  readonly done: PromiseWithResolvers<void>;
}

const emptyBatch = (): Batch => ({ outputs: [], done: Promise.withResolvers() });

/**
 * Group commit: outputs are written to the journal as they come, and one sync covers all that came while the last one ran.
 * While the store is full nothing is acknowledged, and it tries again by itself; the journal keeps what it could not write.
 */
export class Acceptance {
  readonly #journal: Journal;
  readonly #patience: Patience;
  /** These outputs are on disk: their nodes may be told, and their stages may count them. */
  readonly #settled: (batch: readonly PendingOutput[]) => void;
  #waiting: Batch = emptyBatch();
  #last: Promise<void> = Promise.resolve();
  #running = false;
  #closed = false;

  constructor(journal: Journal, patience: Patience, settled: (batch: readonly PendingOutput[]) => void) {
    this.#journal = journal;
    this.#patience = patience;
    this.#settled = settled;
  }

  add(pending: PendingOutput): void {
    if (this.#closed) return;
    this.#journal.putOutput(pending.record);
    this.#waiting.outputs.push(pending);
    this.#last = this.#waiting.done.promise;
    if (!this.#running) void this.#run();
  }

  /** Resolves when all that was added so far is settled. */
  settled(): Promise<void> {
    return this.#last;
  }

  close(): void {
    this.#closed = true;
  }

  async #run(): Promise<void> {
    this.#running = true;
    try {
      while (this.#waiting.outputs.length > 0 && !this.#closed) {
        const { outputs, done } = this.#waiting;
        this.#waiting = emptyBatch();
        await this.#patience.write(() => this.#journal.sync());
        if (this.#closed) return;
        this.#settled(outputs);
        done.resolve();
      }
    } catch (error) {
      // The store is closed: nothing is acknowledged, and the next life computes it again.
      if (!this.#closed) throw error;
    } finally {
      this.#running = false;
    }
  }
}
