/** Time as an argument: what waits or measures takes a Clock, and tests move it by hand. */
export interface Clock {
  /** Monotonic milliseconds; never steps back, has no relation to the calendar. */
  now(): number;
  /** Calls back once after `ms`; the returned function cancels it. */
  after(ms: number, callback: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};
