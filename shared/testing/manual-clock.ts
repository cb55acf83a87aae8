import type { Clock } from "../clock.ts";

interface Timer {
  readonly time: number;
  readonly callback: () => void;
}

/** A clock that stands still until a test moves it. Timers of one time fire in the order in which they were set. */
export class ManualClock implements Clock {
  #now: number;
  /** By time, the last to fire first. */
  readonly #timers: Timer[] = [];

  constructor(now = 0) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { time: this.#now + Math.max(0, ms), callback };
    let low = 0;
    let high = this.#timers.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#timers[middle] as Timer).time > timer.time) low = middle + 1;
      else high = middle;
    }
    this.#timers.splice(low, 0, timer);
    return () => {
      const at = this.#timers.indexOf(timer);
      if (at >= 0) this.#timers.splice(at, 1);
    };
  }

  /** When the next timer fires; undefined if none is set. */
  next(): number | undefined {
    return this.#timers.at(-1)?.time;
  }

  /** Moves to the next timer and fires it; false if none is set. */
  step(): boolean {
    const timer = this.#timers.pop();
    if (timer === undefined) return false;
    this.#now = Math.max(this.#now, timer.time);
    timer.callback();
    return true;
  }

  /** Moves on by `ms`, firing what becomes due on the way, also what that sets. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (let next = this.next(); next !== undefined && next <= end; next = this.next()) this.step();
    this.#now = end;
  }
}
