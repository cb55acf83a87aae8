/** What a scheduler is tuned by. Times are in ms of the monotonic time that `reduce` is given. */
export interface SchedulerOptions {
  /** A lease that no heartbeat has named for so long expires; must exceed three heartbeats. Default 15,000. */
  readonly leaseMs: number;
  /** Leases that a node gets beyond its slots, so that it never waits for a round trip. Default 2. */
  readonly prefetch: number;
  /** Failures of one task, each on a node of its own as far as there are enough, before its job fails. Default 4. */
  readonly maxAttempts: number;
  /**
   * Running attempts of one task that may vanish with their node or lease before its job fails: a partition that
   * crashes every process must end. Default 20.
   */
  readonly maxLostAttempts: number;
  /** When an idle node gets a copy of an attempt that runs elsewhere; at most one copy at a time. */
  readonly speculation: {
    /** Multiple of the stage's median duration. Default 2. */
    readonly factor: number;
    /** Never earlier than this; also the pause between two looks for stragglers. Default 500. */
    readonly minimumMs: number;
  };
  /**
   * How long after a recovery what the last life left on nodes is waited for: held outputs before they count as lost,
   * attempts of stages that their driver has not reached yet. Default 5,000.
   */
  readonly rejoinGraceMs: number;
  /** Attempts of this life have higher epochs, those of earlier lives have not: incarnation × 10,000. Default 0. */
  readonly epochBase: number;
}

export const DEFAULT_OPTIONS: SchedulerOptions = {
  leaseMs: 15_000,
  prefetch: 2,
  maxAttempts: 4,
  maxLostAttempts: 20,
  speculation: { factor: 2, minimumMs: 500 },
  rejoinGraceMs: 5_000,
  epochBase: 0,
};
