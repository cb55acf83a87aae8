import type { Clock } from "../../shared/clock.ts";

export interface TokenBucket {
  /** Whether one more is allowed now; counts it if so. */
  take(): boolean;
}

/** Allows `burst` at once and `perSecond` for long. */
export function tokenBucket(perSecond: number, burst: number, clock: Clock): TokenBucket {
  let left = burst;
  let last = clock.now();
  return {
    take() {
      const now = clock.now();
      left = Math.min(burst, left + ((now - last) / 1000) * perSecond);
      last = now;
      if (left < 1) return false;
      left--;
      return true;
    },
  };
}

/** The most addresses that are remembered; the oldest go first. Only a botnet gets there. */
const MAX_ADDRESSES = 10_000;

/** Counts by address within a sliding minute: how often a wrong token came. */
export class FailureCounter {
  readonly #most: number;
  readonly #clock: Clock;
  /** Times of the failures of the last minute, oldest first. */
  readonly #failures = new Map<string, number[]>();

  constructor(most: number, clock: Clock) {
    this.#most = most;
    this.#clock = clock;
  }

  /** Whether the address has used up its tries. */
  isBlocked(address: string): boolean {
    return this.#recent(address).length >= this.#most;
  }

  add(address: string): void {
    const recent = this.#recent(address);
    this.#failures.delete(address);
    this.#failures.set(address, [...recent, this.#clock.now()].slice(-this.#most));
    const [oldest] = this.#failures.keys();
    if (this.#failures.size > MAX_ADDRESSES && oldest !== undefined) this.#failures.delete(oldest);
  }

  #recent(address: string): readonly number[] {
    const since = this.#clock.now() - 60_000;
    return (this.#failures.get(address) ?? []).filter((time) => time > since);
  }
}
