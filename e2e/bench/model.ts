/** What one run of one contender gave: `seconds`, and what else a bar speaks of. */
export interface Measurement {
  readonly figures: Readonly<Record<string, number>>;
  /** What is true of the work and its result. Within a round, all contenders that state a fact must state the same. */
  readonly facts?: Readonly<Record<string, string>>;
}

/** Something that does a case's work and is timed at it. */
export interface Contender {
  readonly name: string;
  /** Sets up what is not timed: a cluster with its nodes. */
  start?(): Promise<void>;
  /** `round` 0 warms up and is not counted. Rejects if the work fails. */
  measure(round: number): Promise<Measurement>;
  stop?(): Promise<void>;
}

/** What must be reached: a figure of one contender, or its ratio to the least of others. */
export interface Bar {
  readonly label: string;
  readonly of: string;
  /** Contenders to compare with: the one with the smallest figure counts. Without any, the figure itself is judged. */
  readonly over?: readonly string[];
  /** `seconds` unless it says otherwise. */
  readonly figure?: string;
  /** How a figure's rounds become one number; the median unless it says otherwise. */
  readonly average?: Average;
  readonly most?: number;
  readonly least?: number;
}

export type Average = "median" | "mean" | "max";

/** An option that a workload must have, by its help: `--flag`, and a word of that option's line. */
export interface Need {
  readonly flag: string;
  readonly word?: string;
}

export interface Case {
  readonly name: string;
  readonly title: string;
  readonly needs?: readonly Need[];
  /** Why it cannot be measured on this machine or at this scale. */
  readonly problem?: string;
  /** Its figures depend neither on what else runs nor on the round: one round does, without one to warm up. */
  readonly once?: boolean;
  readonly contenders: readonly Contender[];
  readonly bars: readonly Bar[];
}

/** All rounds of one contender that count, or why there are none. */
export interface Outcome {
  readonly contender: string;
  readonly figures: Readonly<Record<string, readonly number[]>>;
  readonly failure?: string;
}
