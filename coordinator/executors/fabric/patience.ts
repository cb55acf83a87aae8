import type { Clock } from "../../../shared/clock.ts";
import { KindlingError } from "../../../shared/errors.ts";

/** ms between tries while the store refuses to write. */
const RETRY_MS = 500;
/** What passes when space is freed or the disk is back. */
const MAY_PASS = new Set(["StorageFull", "StorageFailed"]);

export interface StorageListener {
  storageFailed(reason: string): void;
  storageRecovered(): void;
}

/** Tries writes to the store until they succeed: a full disk stops work, and freeing space lets it go on. */
export class Patience {
  readonly #clock: Clock;
  readonly #listener: StorageListener;
  #failing = 0;
  #isRed = false;
  #closed = false;

  constructor(clock: Clock, listener: StorageListener) {
    this.#clock = clock;
    this.#listener = listener;
  }

  /** Rejects with what is no fault of the store, and with the store's fault where nobody wants the write any more. */
  async write<T>(attempt: () => Promise<T>, isWanted: () => boolean = () => true): Promise<T> {
    let failed = false;
    try {
      for (;;) {
        try {
          const result = await attempt();
          if (this.#failing === (failed ? 1 : 0)) this.#recovered();
          return result;
        } catch (error) {
          if (!(error instanceof KindlingError) || !MAY_PASS.has(error.code)) throw error;
          if (this.#closed || !isWanted()) throw error;
          if (!failed) this.#failing++;
          failed = true;
          this.#isRed = true;
          this.#listener.storageFailed(error.message);
        }
        await new Promise<void>((resolve) => this.#clock.after(RETRY_MS, resolve));
      }
    } finally {
      if (failed) this.#failing--;
    }
  }

  /** The next failure is final. */
  close(): void {
    this.#closed = true;
  }

  #recovered(): void {
    if (!this.#isRed) return;
    this.#isRed = false;
    this.#listener.storageRecovered();
  }
}
