import type { WireError } from "../../../shared/errors.ts";
import { type AttemptId, chunkKey, type NodeId, type TaskKey } from "../../../shared/ids.ts";
import type { Output } from "../events.ts";
import { type Downward, Link, type World } from "./network.ts";

interface Attempt {
  readonly id: AttemptId;
  readonly task: TaskKey;
  state: "queued" | "running" | "finished";
  result: Output | WireError | null;
  /** Its output is held for it alone: if it is not wanted, it goes. */
  holds: boolean;
}

const HEARTBEAT_MS = 200;

/** A node with a process of its own: it runs attempts in order, holds outputs, and comes back after what happens to it. */
export class SimNode {
  readonly id: NodeId;
  readonly held = new Map<TaskKey, Output>();
  link: Link | null = null;
  alive = true;
  /** Multiplies the time of every task. */
  slowness = 1;
  /** Says that it works on, and never ends anything. */
  lying = false;
  leaving = false;
  slots: number;
  readonly #world: World;
  readonly #allSlots: number;
  readonly #unreliable: boolean;
  readonly #attempts = new Map<AttemptId, Attempt>();

  constructor(world: World, id: NodeId, slots: number, unreliable: boolean) {
    this.#world = world;
    this.id = id;
    this.slots = slots;
    this.#allSlots = slots;
    this.#unreliable = unreliable;
    this.#beat();
  }

  get reachable(): boolean {
    return this.alive && this.link !== null && this.link.open && !this.link.halfOpen;
  }

  /** Opens a session, or tries again until the coordinator is there. */
  connect(): void {
    if (!this.alive || this.link?.open) return;
    const link = new Link(this.id, this.#world.clock, this.#world.rng, this.#unreliable);
    if (!this.#world.accept(link, (message) => this.#receive(message))) {
      this.#world.clock.after(40, () => this.connect());
      return;
    }
    this.link = link;
    const held = [...this.held].flatMap(([task, output]) =>
      output.chunks.map((chunk, bucket) => ({ key: chunkKey(task, bucket), bytes: chunk.bytes, hash: chunk.hash })),
    );
    const running = [...this.#attempts.keys()];
    this.#world.receive(link, { type: "Hello", node: this.id, slots: this.slots, held, running });
    for (const attempt of this.#attempts.values()) if (attempt.state === "finished") this.#report(attempt);
  }

  disconnect(): void {
    if (this.link?.open) this.#world.broke(this.link);
    this.link = null;
  }

  /** The process dies with all it knows. */
  kill(): void {
    this.alive = false;
    this.disconnect();
  }

  pause(): void {
    this.slots = 0;
    const released = [...this.#attempts.values()].filter((attempt) => attempt.state === "queued").map(({ id }) => id);
    for (const id of released) this.#attempts.delete(id);
    this.#send({ type: "SlotsChanged", node: this.id, slots: 0, released });
  }

  resume(): void {
    this.slots = this.#allSlots;
    this.#send({ type: "SlotsChanged", node: this.id, slots: this.slots, released: [] });
    this.#fill();
  }

  /** Takes nothing new, and is gone when all it had is done and answered. */
  leave(): void {
    this.leaving = true;
    this.#send({ type: "NodeLeaving", node: this.id });
    this.#goIfDone();
  }

  #goIfDone(): void {
    if (this.leaving && this.#attempts.size === 0) this.kill();
  }

  #send(message: Parameters<World["receive"]>[1]): void {
    const { link } = this;
    if (link !== null) link.carry(() => this.#world.receive(link, message));
  }

  #beat(): void {
    this.#world.clock.after(HEARTBEAT_MS, () => {
      if (!this.alive) return;
      this.#send({ type: "Heartbeat", node: this.id, running: [...this.#attempts.keys()] });
      this.#beat();
    });
  }

  #receive(message: Downward): void {
    if (!this.alive) return;
    if (message.type === "Assign") {
      for (const { attempt, task } of message.assignments) {
        if (!this.#attempts.has(attempt))
          this.#attempts.set(attempt, { id: attempt, task, state: "queued", result: null, holds: false });
      }
    } else if (message.type === "Revoke") {
      for (const id of message.attempts) this.#forget(id, false);
    } else if (message.type === "Acknowledge") {
      this.#forget(message.attempt, message.accepted);
    } else {
      this.held.clear();
      this.#attempts.clear();
    }
    this.#fill();
    this.#goIfDone();
  }

  #forget(id: AttemptId, wanted: boolean): void {
    const attempt = this.#attempts.get(id);
    if (attempt?.holds && !wanted) this.held.delete(attempt.task);
    this.#attempts.delete(id);
  }

  #fill(): void {
    let free = this.slots;
    for (const attempt of this.#attempts.values()) if (attempt.state === "running") free--;
    for (const attempt of this.#attempts.values()) {
      if (free <= 0) return;
      if (attempt.state !== "queued") continue;
      free--;
      this.#run(attempt);
    }
  }

  #run(attempt: Attempt): void {
    attempt.state = "running";
    const work = this.#world.work(attempt.task);
    const execution = this.#world.started(attempt.task);
    const missing = work.inputs.find((input) => !this.#world.canRead(input));
    const ms = missing === undefined ? work.ms * this.slowness * (1 + this.#world.rng.unit() / 4) : 2;
    this.#world.clock.after(ms, () => {
      if (!this.alive || this.lying || this.#attempts.get(attempt.id) !== attempt) return;
      attempt.state = "finished";
      if (missing !== undefined) {
        attempt.result = { code: "InputUnavailable", message: `cannot read ${missing}`, retryable: true };
      } else if (execution < work.failures) {
        attempt.result = { code: "TaskCrashed", message: "crashed by plan", retryable: true };
      } else {
        attempt.result = work.output;
        attempt.holds = !work.output.durable && !this.held.has(attempt.task);
        if (attempt.holds) this.held.set(attempt.task, work.output);
      }
      this.#report(attempt);
      this.#fill();
    });
  }

  #report({ id, result }: Attempt): void {
    if (result === null) return;
    if ("chunks" in result) this.#send({ type: "AttemptSucceeded", node: this.id, attempt: id, output: result });
    else this.#send({ type: "AttemptFailed", node: this.id, attempt: id, error: result });
  }
}
