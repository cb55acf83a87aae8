import type { Clock } from "../../shared/clock.ts";
import type { NodeState } from "./state.ts";

/** ms between two publications: a tab's page draws what it is told, with the processor that its tasks need. */
const EVERY = 500;

/** Tells listeners the state when it has changed, and never more often than people can read. */
export class Publisher {
  readonly #clock: Clock;
  readonly #state: () => NodeState;
  readonly #listeners: ((state: NodeState) => void)[] = [];
  #scheduled: (() => void) | undefined;

  constructor(clock: Clock, state: () => NodeState) {
    this.#clock = clock;
    this.#state = state;
  }

  subscribe(listener: (state: NodeState) => void): void {
    this.#listeners.push(listener);
    listener(this.#state());
  }

  changed(): void {
    if (this.#listeners.length === 0 || this.#scheduled !== undefined) return;
    this.#scheduled = this.#clock.after(EVERY, () => {
      this.#scheduled = undefined;
      this.#publish();
    });
  }

  /** Publishes the last state at once. */
  end(): void {
    this.#scheduled?.();
    this.#scheduled = () => {};
    this.#publish();
  }

  #publish(): void {
    const state = this.#state();
    for (const listener of this.#listeners) listener(state);
  }
}
