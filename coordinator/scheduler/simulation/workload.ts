import { type BlobHash, type JobId, jobId, type TaskKey, taskKey } from "../../../shared/ids.ts";
import type { Rng } from "../../../shared/rng.ts";
import type { Output } from "../events.ts";

/** What a simulated driver does: the dependencies of every partition of every stage. */
export interface JobPlan {
  readonly id: JobId;
  readonly priority: number;
  readonly stages: readonly (readonly (readonly TaskKey[])[])[];
}

export interface Work {
  readonly inputs: readonly TaskKey[];
  readonly ms: number;
  /** How many of the first executions fail. */
  readonly failures: number;
  readonly output: Output;
}

/** A job of one to three stages: maps, then a map over their partitions or a shuffle, then a reduction with a broadcast. */
export function drawJob(rng: Rng, index: number): JobPlan {
  const id = jobId(`job-${index}`);
  const maps = 2 + rng.below(9);
  const first = Array.from({ length: maps }, (): TaskKey[] => []);
  const keys = (ordinal: number, count: number) => Array.from({ length: count }, (_, at) => taskKey(id, ordinal, at));
  const stages: (readonly TaskKey[])[][] = [first];
  if (rng.below(8) > 0) {
    const all = keys(0, maps);
    const shuffle = rng.below(2) === 0;
    stages.push(shuffle ? Array.from({ length: 1 + rng.below(6) }, () => all) : all.map((key) => [key]));
  }
  if (stages.length === 2 && rng.below(3) > 0) {
    const broadcast = taskKey(id, 0, 0);
    const all = [...keys(1, stages[1]?.length ?? 0), broadcast];
    stages.push(Array.from({ length: 1 + rng.below(3) }, () => all));
  }
  return { id, priority: -index, stages };
}

/** What each task of the jobs does. A third of the outputs are durable at once, the others are held. */
export function drawWork(rng: Rng, jobs: readonly JobPlan[], faults: boolean): Map<TaskKey, Work> {
  const work = new Map<TaskKey, Work>();
  for (const { id, stages } of jobs) {
    for (const [ordinal, partitions] of stages.entries()) {
      const ms = 5 + rng.below(80);
      for (const [partition, inputs] of partitions.entries()) {
        const hash = work.size.toString(16).padStart(64, "0") as BlobHash;
        const durable = rng.below(3) === 0;
        const failures = faults && rng.below(10) === 0 ? 1 + rng.below(2) : 0;
        work.set(taskKey(id, ordinal, partition), {
          inputs,
          ms,
          failures,
          output: { chunks: [{ bytes: 100, hash }], durable },
        });
      }
    }
  }
  return work;
}
