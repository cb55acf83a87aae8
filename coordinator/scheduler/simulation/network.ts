import type { AttemptId, NodeId } from "../../../shared/ids.ts";
import type { HeldChunk } from "../../../shared/protocol/messages.ts";
import type { Rng } from "../../../shared/rng.ts";
import type { ManualClock } from "../../../shared/testing/manual-clock.ts";
import type { Assignment, Output, SchedulerEvent } from "../events.ts";

/** What a simulated node tells the coordinator. */
export type Upward =
  | Extract<
      SchedulerEvent,
      { type: "AttemptSucceeded" | "AttemptFailed" | "Heartbeat" | "SlotsChanged" | "NodeLeaving" }
    >
  | {
      readonly type: "Hello";
      readonly node: NodeId;
      readonly slots: number;
      readonly held: HeldChunk[];
      readonly running: AttemptId[];
    };

/** What the coordinator tells a simulated node. */
export type Downward =
  | { readonly type: "Assign"; readonly assignments: readonly Assignment[] }
  | { readonly type: "Revoke"; readonly attempts: readonly AttemptId[] }
  | { readonly type: "Acknowledge"; readonly attempt: AttemptId; readonly accepted: boolean }
  | { readonly type: "Forget" };

/**
 * One connection. Unlike a real channel it may deliver out of order and twice, which the scheduler must bear as well;
 * the hello comes first. Half-open it swallows everything, and nobody is told.
 */
export class Link {
  readonly node: NodeId;
  open = true;
  halfOpen = false;
  readonly #clock: ManualClock;
  readonly #rng: Rng;
  readonly #unreliable: boolean;

  constructor(node: NodeId, clock: ManualClock, rng: Rng, unreliable: boolean) {
    this.node = node;
    this.#clock = clock;
    this.#rng = rng;
    this.#unreliable = unreliable;
  }

  /** Calls `arrive` after the way through the network; twice, sometimes, if the network is unreliable. */
  carry(arrive: () => void): void {
    const copies = this.#unreliable && this.#rng.below(20) === 0 ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      const ms = this.#unreliable ? 1 + this.#rng.below(15) : 1;
      this.#clock.after(ms, () => {
        if (this.open && !this.halfOpen) arrive();
      });
    }
  }
}

/** Everything random in one run comes from here, each use with a stream of its own. */
export interface World {
  readonly clock: ManualClock;
  readonly rng: Rng;
  /** The coordinator's ear. */
  receive(link: Link, message: Upward): void;
  /** A connection broke; the coordinator finds out some time later. */
  broke(link: Link): void;
  /** A node begins or resumes a session; false while the coordinator is down. */
  accept(link: Link, deliver: (message: Downward) => void): boolean;
  /** Whether some reachable node has this output, or the coordinator has it. */
  canRead(input: string): boolean;
  /** What a task reads, how long it takes (ms), how often it fails first, what it makes. */
  work(task: string): {
    readonly inputs: readonly string[];
    readonly ms: number;
    readonly failures: number;
    readonly output: Output;
  };
  /** Gives how many executions of the task began before this one. */
  started(task: string): number;
}
