import type { Clock } from "../../../shared/clock.ts";
import type { AttemptId, NodeId } from "../../../shared/ids.ts";
import type { Journal, OutputRecord } from "../../store/journal.ts";

/** ms between tries while the store refuses to write. */
const RETRY_MS = 500;

export interface PendingOutput {
  readonly record: OutputRecord;
  /** Whom to tell, if it came from a node just now. */
  readonly from: { readonly node: NodeId; readonly attempt: AttemptId } | null;
  /** Whether its stage waits for it: not for an output that was accepted before. */
  readonly awaited: boolean;
}

export interface AcceptanceListener {
  /** These outputs are on disk: their nodes may be told, and their stages may count them. */
  settled(batch: readonly PendingOutput[]): void;
  storageFailed(reason: string): void;
  storageRecovered(): void;
}

/**
 * Group commit: outputs are written to the journal as they come, and one sync covers all that came while the last one ran.
 * While the store is full nothing is acknowledged, and it tries again by itself.
 */
export class Acceptance {
  readonly #journal: Journal;
  readonly #clock: Clock;
  readonly #listener: AcceptanceListener;
  #waiting: PendingOutput[] = [];
  #running = false;
  #failed = false;
  #closed = false;

  constructor(journal: Journal, clock: Clock, listener: AcceptanceListener) {
    this.#journal = journal;
    this.#clock = clock;
    this.#listener = listener;
  }

  add(pending: PendingOutput): void {
    this.#journal.putOutput(pending.record);
    this.#waiting.push(pending);
    if (!this.#running) void this.#run();
  }

  close(): void {
    this.#closed = true;
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#waiting.length > 0 && !this.#closed) {
      const batch = this.#waiting;
      this.#waiting = [];
      await this.#sync(batch);
      if (!this.#closed) this.#listener.settled(batch);
    }
    this.#running = false;
  }

  async #sync(batch: readonly PendingOutput[]): Promise<void> {
    for (let written = true; !this.#closed; written = false) {
      // What a failed sync covered is gone from the buffer: write it anew.
      if (!written) for (const { record } of batch) this.#journal.putOutput(record);
      try {
        await this.#journal.sync();
        if (this.#failed) this.#listener.storageRecovered();
        this.#failed = false;
        return;
      } catch (error) {
        this.#failed = true;
        this.#listener.storageFailed(error instanceof Error ? error.message : String(error));
        await new Promise<void>((resolve) => this.#clock.after(RETRY_MS, resolve));
      }
    }
  }
}
