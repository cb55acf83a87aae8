import { KindlingError } from "../../shared/errors.ts";
import { type JobId, type TaskKey, taskKey } from "../../shared/ids.ts";
import type { Dataset, OutputRef } from "../../shared/sdk/job.ts";

/**
 * The outputs that a driver's stages have made. Datasets are plain data and drivers may build their own from parts, so that each
 * part is looked up before it is used. Every method throws `BadWorkload` for what is not there.
 */
export class Datasets {
  readonly #job: JobId;
  readonly #stages = new Map<number, { readonly partitions: number; readonly buckets: number }>();

  constructor(job: JobId) {
    this.#job = job;
  }

  made(ordinal: number, partitions: number, buckets: number): void {
    this.#stages.set(ordinal, { partitions, buckets });
  }

  /** The tasks of a dataset's parts; every one of them has as many buckets as the dataset says. `verb`: what is done with it. */
  tasks(dataset: unknown, verb: string): TaskKey[] {
    const { parts, buckets } = required(dataset, verb);
    return parts.map((part) => this.#task(part, buckets));
  }

  /** As `tasks`, of a dataset that has one output for each part. */
  wholeTasks(dataset: unknown, verb: string): TaskKey[] {
    const { buckets } = required(dataset, verb);
    if (buckets !== 1) throw bad(`A dataset of ${buckets} buckets must be reduced before it is ${verb}`);
    return this.tasks(dataset, verb);
  }

  /** One part of such a dataset. */
  wholeTask(dataset: unknown, partition: number, verb: string): TaskKey {
    const task = this.wholeTasks(dataset, verb)[partition];
    if (task === undefined) throw bad(`The dataset has no partition ${partition}: it cannot be ${verb}`);
    return task;
  }

  #task({ ordinal, partition }: OutputRef, buckets: number): TaskKey {
    const stage = this.#stages.get(ordinal);
    if (!stage || !Number.isInteger(partition) || partition < 0 || partition >= stage.partitions) {
      throw bad(`A dataset names partition ${partition} of stage ${ordinal}, which no stage of this job has made`);
    }
    if (stage.buckets !== buckets) {
      throw bad(`A dataset of ${buckets} buckets names stage ${ordinal}, which has ${stage.buckets}`);
    }
    return taskKey(this.#job, ordinal, partition);
  }
}

export const isDataset = (thing: unknown): thing is Dataset<unknown> =>
  typeof thing === "object" && thing !== null && "parts" in thing && Array.isArray(thing.parts) && "buckets" in thing;

function required(thing: unknown, verb: string): Dataset<unknown> {
  if (isDataset(thing)) return thing;
  throw bad(`Only a dataset can be ${verb}${thing instanceof Promise ? ", not a promise of one: await it first" : ""}`);
}

const bad = (message: string): KindlingError => new KindlingError("BadWorkload", message);
