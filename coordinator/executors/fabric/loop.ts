import type { Clock } from "../../../shared/clock.ts";
import type { SchedulerEffect, SchedulerEvent } from "../../scheduler/events.ts";
import type { SchedulerOptions } from "../../scheduler/options.ts";
import { reduce } from "../../scheduler/reduce.ts";
import { createScheduler, type SchedulerState } from "../../scheduler/state.ts";

type Kind = Exclude<SchedulerEffect["type"], "WakeAt">;
/** One handler for each kind of effect: a new kind does not compile without one. */
export type EffectHandlers = { readonly [K in Kind]: (effect: Extract<SchedulerEffect, { type: K }>) => void };

/** Feeds the pure scheduler with events and the time, and hands on its effects. */
export class SchedulerLoop {
  readonly state: SchedulerState;
  readonly #clock: Clock;
  readonly #handlers: EffectHandlers;
  readonly #waiting: SchedulerEvent[] = [];
  #running = false;
  #closed = false;
  #wakeAt = Number.POSITIVE_INFINITY;
  #cancelWake: () => void = () => undefined;

  constructor(options: Partial<SchedulerOptions>, clock: Clock, handlers: EffectHandlers) {
    this.state = createScheduler(options);
    this.#clock = clock;
    this.#handlers = handlers;
  }

  /**
   * Events that effects bring about wait until all effects of the one before are carried out. What fails is thrown after that: the
   * state says already what the other effects tell, so that none may be left out.
   */
  dispatch(event: SchedulerEvent): void {
    if (this.#closed) return;
    this.#waiting.push(event);
    if (this.#running) return;
    this.#running = true;
    const errors: unknown[] = [];
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) this.#work(next, errors);
    this.#running = false;
    if (errors.length > 1) throw new AggregateError(errors, errors.map(String).join("; "));
    if (errors.length === 1) throw errors[0];
  }

  #work(event: SchedulerEvent, errors: unknown[]): void {
    for (const effect of this.#reduce(event, errors)) {
      try {
        if (effect.type === "WakeAt") this.#wake(effect.time);
        else this.#perform(effect.type, effect);
      } catch (error) {
        errors.push(error);
      }
    }
  }

  #reduce(event: SchedulerEvent, errors: unknown[]): readonly SchedulerEffect[] {
    try {
      return reduce(this.state, event, this.#clock.now()).effects;
    } catch (error) {
      errors.push(error);
      return [];
    }
  }

  /** Nothing happens any more. */
  close(): void {
    this.#closed = true;
    this.#waiting.length = 0;
    this.#cancelWake();
  }

  #perform<K extends Kind>(kind: K, effect: SchedulerEffect): void {
    // The kind is the effect's own, which the type system cannot see through the table.
    this.#handlers[kind](effect as Extract<SchedulerEffect, { type: K }>);
  }

  #wake(time: number): void {
    if (time >= this.#wakeAt || this.#closed) return;
    this.#cancelWake();
    this.#wakeAt = time;
    this.#cancelWake = this.#clock.after(Math.max(0, time - this.#clock.now()), () => {
      this.#wakeAt = Number.POSITIVE_INFINITY;
      this.dispatch({ type: "Tick" });
    });
  }
}
