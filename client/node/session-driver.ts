import type { Clock } from "../../shared/clock.ts";
import { toWireError } from "../../shared/errors.ts";
import type { AttemptId } from "../../shared/ids.ts";
import type { NodeChannel } from "../../shared/protocol/channel.ts";
import type { Hello, ToCoordinator, ToNode } from "../../shared/protocol/messages.ts";
import type { Rng } from "../../shared/rng.ts";
import {
  initialSession,
  reduceSession,
  type SessionEffect,
  type SessionEvent,
  type SessionState,
  wakeAt,
} from "./session.ts";

export interface SessionSurroundings {
  readonly clock: Clock;
  readonly rng: Rng;
  readonly slots: number;
  open(): NodeChannel;
  /** What a hello says about the node at this moment. */
  describe(): Omit<Hello, "type" | "resume" | "running">;
  /** Units that a running attempt has done so far. */
  unitsOf(attempt: AttemptId): number;
  receive(message: ToNode): void;
  changed(): void;
  /** The session is over. */
  stopped(): void;
}

/** The shell around session.ts: gives it a connection and a timer, and does what it says. */
export class SessionDriver {
  readonly #around: SessionSurroundings;
  #state: SessionState = initialSession;
  #channel: NodeChannel | undefined;
  readonly #events: SessionEvent[] = [];
  #reducing = false;
  #cancelWake = (): void => {};

  constructor(surroundings: SessionSurroundings) {
    this.#around = surroundings;
  }

  get state(): SessionState {
    return this.#state;
  }

  get isJoined(): boolean {
    return this.#state.link.kind === "joined";
  }

  dispatch(event: SessionEvent): void {
    const { clock, rng, changed } = this.#around;
    this.#events.push(event);
    // Effects may give rise to events; those wait for their turn.
    if (this.#reducing) return;
    this.#reducing = true;
    try {
      for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift()) {
        const [state, effects] = reduceSession(this.#state, next, clock.now(), rng);
        this.#state = state;
        for (const effect of effects) this.#perform(effect);
      }
    } finally {
      this.#reducing = false;
    }
    this.#cancelWake();
    const due = wakeAt(this.#state) - clock.now();
    this.#cancelWake = Number.isFinite(due)
      ? clock.after(Math.max(0, due), () => this.dispatch({ type: "Tick" }))
      : () => {};
    changed();
  }

  /** Sends outside of the session's rules; lost while there is no connection. */
  send(message: ToCoordinator): void {
    this.#channel?.send(message);
  }

  #perform(effect: SessionEffect): void {
    switch (effect.type) {
      case "Open":
        return this.#open();
      case "Greet": {
        const { resume, running } = effect;
        const resuming = resume === null ? {} : { resume };
        return this.send({ type: "hello", ...this.#around.describe(), ...resuming, running: [...running] });
      }
      case "Beat": {
        const running = effect.running.map((attempt) => ({ attempt, units: this.#around.unitsOf(attempt) }));
        return this.send({ type: "heartbeat", running });
      }
      case "Send":
        return this.send(effect.message);
      case "Offer": {
        const slots = effect.slots === "all" ? this.#around.slots : 0;
        return this.send({ type: "availability", slots, released: [...effect.released] });
      }
      case "Close":
        return this.#close(effect.reason);
      case "Stop":
        this.#close({ kind: "normal", detail: "left" });
        return this.#around.stopped();
    }
  }

  #open(): void {
    let channel: NodeChannel;
    try {
      channel = this.#around.open();
    } catch (error) {
      this.dispatch({ type: "Closed", reason: { kind: "lost", detail: toWireError(error).message } });
      return;
    }
    this.#channel = channel;
    // A channel that was replaced may still speak.
    channel.onMessage((message) => {
      if (this.#channel !== channel) return;
      this.dispatch({ type: "Heard" });
      this.#around.receive(message);
    });
    channel.onClose((reason) => {
      if (this.#channel !== channel) return;
      this.#channel = undefined;
      this.dispatch({ type: "Closed", reason });
    });
    this.dispatch({ type: "Opened" });
  }

  #close(reason: Parameters<NodeChannel["close"]>[0]): void {
    const channel = this.#channel;
    this.#channel = undefined;
    channel?.close(reason);
  }
}
