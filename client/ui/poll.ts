import type { Clock } from "../../shared/clock.ts";

export interface PollOptions {
  readonly clock: Clock;
  /** One round. It gives the ms until the next, or rejects. */
  readonly round: (signal: AbortSignal) => Promise<number>;
  /** Called with the error of a failed round and the ms until the next try. */
  readonly failed: (error: unknown, retryMs: number) => void;
}

export interface Poller {
  /** Polls at once and goes on. Also ends a wait, or brings back a paused poller. */
  start(): void;
  /** Ends the present round and waits for `start`. */
  stop(): void;
}

const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 15_000;

/** ms to wait after so many failed rounds in a row. */
export const retryDelay = (failures: number): number =>
  Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(failures - 1, 10));

/** Asks again and again, one round at a time; after errors less and less often. */
export function createPoller({ clock, round, failed }: PollOptions): Poller {
  let current: AbortController | null = null;
  let cancelWait = (): void => {};
  let failures = 0;

  async function run(controller: AbortController): Promise<void> {
    let wait: number;
    try {
      wait = await round(controller.signal);
      if (controller.signal.aborted) return;
      failures = 0;
    } catch (error) {
      if (controller.signal.aborted) return;
      failures++;
      wait = retryDelay(failures);
      failed(error, wait);
    }
    cancelWait = clock.after(wait, () => void run(controller));
  }

  function stop(): void {
    cancelWait();
    current?.abort();
    current = null;
  }
  return {
    start() {
      stop();
      current = new AbortController();
      void run(current);
    },
    stop,
  };
}
