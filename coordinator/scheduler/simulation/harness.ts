import type { WireError } from "../../../shared/errors.ts";
import {
  type AttemptId,
  chunkKey,
  type BlobHash,
  jobId,
  type NodeId,
  nodeId,
  type TaskKey,
  taskKey,
} from "../../../shared/ids.ts";
import type { HeldChunk } from "../../../shared/protocol/messages.ts";
import type { Output, SchedulerEffect, SchedulerEvent, StagePlan } from "../events.ts";
import { invariants } from "../invariants.ts";
import type { SchedulerOptions } from "../options.ts";
import { reduce } from "../reduce.ts";
import { createScheduler, type SchedulerState } from "../state.ts";

export const JOB = jobId("job");
export const task = (ordinal: number, partition: number): TaskKey => taskKey(JOB, ordinal, partition);
export const node = (name: string): NodeId => nodeId(name);

/** An output of one chunk whose hash is made of `content`. */
export function output(content: number, durable: boolean): Output {
  const hash = content.toString(16).padStart(64, "0") as BlobHash;
  return { chunks: [{ bytes: 8, hash, ...(durable ? { inline: new Uint8Array(8) } : {}) }], durable };
}

/** What a node says of such an output when it comes back. */
export function heldChunk(key: TaskKey, content: number): HeldChunk {
  return { key: chunkKey(key, 0), bytes: 8, hash: content.toString(16).padStart(64, "0") as BlobHash };
}

export function failure(code: string, retryable: boolean): WireError {
  return { code, message: `${code} happened`, retryable };
}

/** A plan of independent partitions, or of ones that read what `dependencies` says. */
export function plan(ordinal: number, dependencies: number | StagePlan["dependencies"], more: Partial<StagePlan> = {}) {
  const list = typeof dependencies === "number" ? Array.from({ length: dependencies }, () => []) : dependencies;
  return { job: JOB, ordinal, dependencies: list, finished: [], priority: 0, ...more } satisfies StagePlan;
}

/** A scheduler at a time of the test's choosing; every event is followed by a check of all invariants. */
export class Harness {
  readonly state: SchedulerState;
  now = 0;

  constructor(options: Partial<SchedulerOptions> = {}) {
    this.state = createScheduler(options);
  }

  send(event: SchedulerEvent): readonly SchedulerEffect[] {
    const { effects } = reduce(this.state, event, this.now);
    const violations = invariants(this.state);
    if (violations.length > 0) throw new Error(`after ${event.type} at ${this.now} ms: ${violations.join("; ")}`);
    return effects;
  }

  join(
    name: string,
    slots: number,
    more: { held?: HeldChunk[]; running?: AttemptId[] } = {},
  ): readonly SchedulerEffect[] {
    return this.send({
      type: "NodeJoined",
      node: node(name),
      slots,
      held: more.held ?? [],
      running: more.running ?? [],
    });
  }

  lose(name: string): readonly SchedulerEffect[] {
    return this.send({ type: "NodeLost", node: node(name), reason: "gone" });
  }

  add(stage: StagePlan): readonly SchedulerEffect[] {
    return this.send({ type: "StageAdded", stage });
  }

  succeed(name: string, attempt: string, result: Output): readonly SchedulerEffect[] {
    return this.send({ type: "AttemptSucceeded", node: node(name), attempt: attempt as AttemptId, output: result });
  }

  fail(name: string, attempt: string, error: WireError): readonly SchedulerEffect[] {
    return this.send({ type: "AttemptFailed", node: node(name), attempt: attempt as AttemptId, error });
  }

  tickAt(time: number): readonly SchedulerEffect[] {
    this.now = time;
    return this.send({ type: "Tick" });
  }
}

/** The attempts that effects assign, as `node: attempt` without the job's name. */
export const assigned = (effects: readonly SchedulerEffect[]): string[] =>
  effects.flatMap((effect) =>
    effect.type === "Assign" ? effect.assignments.map(({ attempt }) => `${effect.node}: ${attempt}`) : [],
  );

export const ofType = <K extends SchedulerEffect["type"]>(effects: readonly SchedulerEffect[], type: K) =>
  effects.filter((effect): effect is Extract<SchedulerEffect, { type: K }> => effect.type === type);
