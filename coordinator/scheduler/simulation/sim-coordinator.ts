import { type JobId, type NodeId, type TaskKey, taskKey, taskOfAttempt } from "../../../shared/ids.ts";
import type { Output, SchedulerEffect, SchedulerEvent } from "../events.ts";
import { invariants } from "../invariants.ts";
import type { SchedulerOptions } from "../options.ts";
import { reduce } from "../reduce.ts";
import { createScheduler, type SchedulerState } from "../state.ts";
import { story } from "../story.ts";
import { holdersOf } from "../views.ts";
import type { Downward, Link, Upward, World } from "./network.ts";
import type { JobPlan } from "./workload.ts";

/** The disk: what survives a crash of the coordinator. */
export interface Disk {
  readonly outputs: Map<TaskKey, Output>;
  readonly ended: Set<JobId>;
  incarnation: number;
}

interface Session {
  readonly link: Link;
  readonly deliver: (message: Downward) => void;
}

const SYNC_MS = 3;

const SIMULATED: Partial<SchedulerOptions> = {
  leaseMs: 1_000,
  speculation: { factor: 2, minimumMs: 60 },
  rejoinGraceMs: 300,
};

/** One life of a coordinator around the real scheduler: sessions, journal, drivers, and the checks of every run. */
export class SimCoordinator {
  readonly state: SchedulerState;
  readonly trace: string[];
  /** The transitions that tasks have made. */
  readonly transitions: Set<string>;
  alive = true;
  failure: string | null = null;
  readonly #world: World;
  readonly #disk: Disk;
  readonly #jobs: readonly JobPlan[];
  readonly #sessions = new Map<NodeId, Session>();
  #cancelWake: () => void = () => {};

  constructor(world: World, disk: Disk, jobs: readonly JobPlan[], trace: string[], transitions: Set<string>) {
    this.#world = world;
    this.#disk = disk;
    this.#jobs = jobs;
    this.trace = trace;
    this.transitions = transitions;
    disk.incarnation++;
    this.state = createScheduler({ ...SIMULATED, epochBase: disk.incarnation * 10_000 });
  }

  start(): void {
    for (const job of this.#jobs) if (!this.#disk.ended.has(job.id)) this.#advance(job.id, 0);
  }

  /** kill -9: nothing of it happens any more, and the nodes' connections break. */
  crash(): Link[] {
    this.alive = false;
    this.#noteTransitions();
    return [...this.#sessions.values()].map(({ link }) => link);
  }

  accept(link: Link, deliver: (message: Downward) => void): void {
    const before = this.#sessions.get(link.node);
    if (before !== undefined) before.link.open = false;
    this.#sessions.set(link.node, { link, deliver });
  }

  receive(link: Link, message: Upward): void {
    if (!this.alive || this.#sessions.get(link.node)?.link !== link) return;
    if (message.type === "Hello") {
      this.send({
        type: "NodeJoined",
        node: message.node,
        slots: message.slots,
        held: message.held,
        running: message.running,
      });
      return;
    }
    if (message.type === "AttemptFailed") {
      if (message.error.code === "InputUnavailable") this.#findMissing(taskOfAttempt(message.attempt));
      this.#tell(link.node, { type: "Acknowledge", attempt: message.attempt, accepted: false });
    }
    this.send(message);
  }

  lost(link: Link): void {
    if (!this.alive || this.#sessions.get(link.node)?.link !== link) return;
    link.open = false;
    this.#sessions.delete(link.node);
    this.send({ type: "NodeLost", node: link.node, reason: "its connection broke" });
  }

  send(event: SchedulerEvent): void {
    if (!this.alive || this.failure !== null) return;
    const now = this.#world.clock.now();
    const { effects } = reduce(this.state, event, now);
    this.trace.push(`${now.toFixed(3)} ${event.type} ${JSON.stringify(effects)}`);
    const violations = invariants(this.state);
    if (violations.length > 0) this.#fail(`after ${event.type}: ${violations.join("; ")}`);
    for (const effect of effects) this.#carryOut(effect);
  }

  #carryOut(effect: SchedulerEffect): void {
    const { clock } = this.#world;
    switch (effect.type) {
      case "Assign":
        for (const { task } of effect.assignments) {
          if (this.#disk.outputs.get(task)?.durable) this.#fail(`${task} is durable and was assigned again`, task);
        }
        this.#tell(effect.node, effect);
        break;
      case "Revoke":
        this.#tell(effect.node, effect);
        break;
      case "Accept":
        this.#accept(effect);
        break;
      case "Reject":
        this.#tell(effect.node, { type: "Acknowledge", attempt: effect.attempt, accepted: false });
        break;
      case "StageDone":
        // The driver goes on when the last output is on disk.
        clock.after(SYNC_MS + 1, () => this.#advance(effect.job, effect.ordinal + 1));
        break;
      case "JobFailed":
        this.#fail(`${effect.job} failed: ${effect.error.message}`);
        break;
      case "WakeAt":
        this.#cancelWake();
        this.#cancelWake = clock.after(effect.time - clock.now(), () => this.send({ type: "Tick" }));
        break;
    }
  }

  /** Journals an output, then acknowledges it; a crash in between leaves it unacknowledged. */
  #accept({ node, attempt, task, output, repeated }: Extract<SchedulerEffect, { type: "Accept" }>): void {
    if (!repeated && this.#disk.outputs.has(task)) this.#fail(`${task} was accepted as new for the second time`, task);
    this.#world.clock.after(SYNC_MS, () => {
      if (!this.alive) return;
      if (!this.#disk.outputs.get(task)?.durable) this.#disk.outputs.set(task, output);
      this.#tell(node, { type: "Acknowledge", attempt, accepted: true });
    });
  }

  /** The driver: each stage when the one before is done, then the result is brought here. */
  #advance(id: JobId, ordinal: number): void {
    const job = this.#jobs.find((plan) => plan.id === id);
    if (!this.alive || job === undefined) return;
    const dependencies = job.stages[ordinal];
    if (dependencies === undefined) {
      this.#collect(job);
      return;
    }
    const finished = dependencies.flatMap((_, partition) => {
      const output = this.#disk.outputs.get(taskKey(id, ordinal, partition));
      return output === undefined ? [] : [{ partition, output }];
    });
    this.send({ type: "StageAdded", stage: { job: id, ordinal, dependencies, finished, priority: job.priority } });
  }

  #collect(job: JobPlan): void {
    if (!this.alive) return;
    const last = job.stages.length - 1;
    let complete = true;
    for (const partition of (job.stages[last] ?? []).keys()) {
      const task = taskKey(job.id, last, partition);
      const known = this.#disk.outputs.get(task);
      if (known?.durable) continue;
      complete = false;
      if (known !== undefined && this.#world.canRead(task)) {
        this.#disk.outputs.set(task, { ...known, durable: true });
        this.send({ type: "OutputDurable", task });
      } else {
        this.#missing(task);
      }
    }
    if (!complete) {
      this.#world.clock.after(40, () => this.#collect(job));
      return;
    }
    this.#disk.ended.add(job.id);
    this.#noteTransitions();
    this.send({ type: "JobEnded", job: job.id });
    if (this.#disk.ended.size < this.#jobs.length) return;
    for (const { link, deliver } of this.#sessions.values()) link.carry(() => deliver({ type: "Forget" }));
  }

  /** A node could not read its inputs: which of them can nobody give? */
  #findMissing(reader: TaskKey): void {
    for (const input of this.#world.work(reader).inputs) {
      if (!this.#world.canRead(input)) this.#missing(input as TaskKey);
    }
  }

  #missing(task: TaskKey): void {
    const holders = holdersOf(this.state, task);
    for (const node of holders) this.send({ type: "OutputMissing", task, node });
    if (holders.length === 0) this.send({ type: "OutputMissing", task, node: null });
  }

  #noteTransitions(): void {
    for (const { history } of this.state.tasks.values()) {
      for (const { from, to } of history) if (from !== to) this.transitions.add(`${from}→${to}`);
    }
  }

  #tell(node: NodeId, message: Downward): void {
    const session = this.#sessions.get(node);
    session?.link.carry(() => session.deliver(message));
  }

  #fail(what: string, task?: TaskKey): void {
    this.failure ??= `${what} at ${this.#world.clock.now()} ms${task ? `\n${story(this.state, task).join("\n")}` : ""}`;
  }
}
