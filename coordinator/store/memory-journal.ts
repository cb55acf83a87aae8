import { KindlingError } from "../../shared/errors.ts";
import { type JobId, jobOfTask, type TaskKey } from "../../shared/ids.ts";
import type { Value } from "../../shared/value.ts";
import type { JobRecord, Journal, OutputRecord } from "./journal.ts";

/** A journal that lasts as long as the process: for the local executor, where nothing has to outlive it. */
export class MemoryJournal implements Journal {
  readonly incarnation = 1;
  readonly #jobs = new Map<JobId, JobRecord>();
  readonly #outputs = new Map<JobId, Map<TaskKey, OutputRecord>>();
  readonly #entries = new Map<JobId, Map<number, Value>>();
  #closed = false;

  putJob(job: JobRecord): void {
    this.#check();
    this.#jobs.set(job.id, job);
  }

  jobs(): JobRecord[] {
    return [...this.#jobs.values()].sort((a, b) => a.createdAt - b.createdAt);
  }

  putOutput(output: OutputRecord): void {
    this.#check();
    const job = jobOfTask(output.task);
    const outputs = this.#outputs.get(job) ?? new Map<TaskKey, OutputRecord>();
    outputs.set(output.task, output);
    this.#outputs.set(job, outputs);
  }

  outputs(job: JobId): OutputRecord[] {
    return [...(this.#outputs.get(job)?.values() ?? [])];
  }

  putEntry(job: JobId, ordinal: number, entry: Value): void {
    this.#check();
    const entries = this.#entries.get(job) ?? new Map<number, Value>();
    entries.set(ordinal, entry);
    this.#entries.set(job, entries);
  }

  entries(job: JobId): Map<number, Value> {
    return new Map(this.#entries.get(job));
  }

  deleteJob(job: JobId): void {
    this.#check();
    this.#jobs.delete(job);
    this.#outputs.delete(job);
    this.#entries.delete(job);
  }

  sync(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.#closed = true;
    return Promise.resolve();
  }

  #check(): void {
    if (this.#closed) throw new KindlingError("StorageClosed", "The journal is closed");
  }
}
