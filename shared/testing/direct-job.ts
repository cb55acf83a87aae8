import { KindlingError } from "../errors.ts";
import { type BlobHash, blobHash } from "../ids.ts";
import type { Artifact, Broadcast, Dataset, Job, JobResult, Metrics, OutputRef, Source } from "../sdk/job.ts";
import type { UseGpu, UseWebGl } from "../sdk/gpu.ts";
import type { Backend, ByteReader, Task, GpuContext } from "../sdk/task.ts";
import type { AnyTask, Workload } from "../sdk/workload.ts";
import type { Value } from "../value.ts";

export interface DirectOptions {
  /** Which kernel runs; a task without it runs its JS one. */
  readonly backend: Backend;
  readonly webgpu?: UseGpu;
  readonly webgl?: UseWebGl;
  /** What `file()` parameters open, by name. */
  readonly files?: Readonly<Record<string, Uint8Array>>;
  /** Reads answer with promises, as they do in a tab. */
  readonly asyncReads?: boolean;
  readonly memoryBytes?: number;
}

/** One stage as it ran, so that tests can compare what backends exchange between stages. */
export interface DirectStage {
  /** The stage's label, or else the name of its task. */
  readonly label: string;
  /** `outputs[partition][bucket]`. */
  readonly outputs: readonly (readonly Value[])[];
  readonly summaries: readonly Value[];
}

export interface DirectResult {
  readonly metrics: Metrics;
  readonly artifacts: ReadonlyMap<string, Uint8Array>;
  readonly stages: readonly DirectStage[];
  /** Sum of what the tasks told `progress`. */
  readonly progress: number;
}

type StageInputs = readonly unknown[] | Dataset<unknown>;
type Handles = { readonly broadcast?: Broadcast<unknown>; readonly label?: string };

/**
 * Runs a workload's driver and all of its tasks one after the other in this thread: an executor without scheduler,
 * journal or nodes, for tests of workloads.
 */
export async function runDirect(workload: Workload, params: unknown, options: DirectOptions): Promise<DirectResult> {
  const job = new DirectJob(workload, options);
  const { metrics } = await workload.drive(job, workload.params.parse(params));
  return { metrics, artifacts: job.artifacts, stages: job.stages, progress: job.progress };
}

class DirectJob implements Job {
  readonly artifacts = new Map<string, Uint8Array>();
  readonly stages: DirectStage[] = [];
  progress = 0;
  private readonly options: DirectOptions;
  private readonly taskNames: ReadonlyMap<AnyTask, string>;
  /** What each ordinal gave: a source's bytes, a broadcast value, or a stage. */
  private readonly results: unknown[] = [];
  private readonly sourceNames = new Map<number, string>();

  constructor(workload: Workload, options: DirectOptions) {
    this.options = options;
    this.taskNames = new Map(Object.entries(workload.tasks).map(([name, task]) => [task, name]));
  }

  async source(file: string): Promise<Source> {
    const bytes = this.options.files?.[file];
    if (bytes === undefined) throw new KindlingError("NoSuchFile", `no file ${file} was given to this run`);
    const ordinal = this.results.push(bytes) - 1;
    this.sourceNames.set(ordinal, file);
    return { ordinal, name: file, bytes: bytes.byteLength };
  }

  async broadcast<T>(value: T | { readonly dataset: Dataset<T>; readonly partition: number }): Promise<Broadcast<T>> {
    const held = isPartition(value) ? this.output(part(value.dataset, value.partition), 0) : structuredClone(value);
    return { ordinal: this.results.push(held) - 1 };
  }

  async map<I, O, B = undefined, S extends Value = Value>(
    task: Task<I, O, B, S>,
    inputs: readonly I[] | Dataset<I>,
    options?: Handles,
  ): Promise<Dataset<O, S>> {
    return this.stage<O, S>("map", task, this.inputsOf(inputs), 1, options);
  }

  async shuffle<I, O, B = undefined, S extends Value = Value>(
    task: Task<I, readonly O[], B, S>,
    inputs: readonly I[] | Dataset<I>,
    options: Handles & { readonly buckets: number },
  ): Promise<Dataset<O, S>> {
    return this.stage<O, S>("shuffle", task, this.inputsOf(inputs), options.buckets, options);
  }

  async reduce<I, O, B = undefined, S extends Value = Value>(
    task: Task<readonly I[], O, B, S>,
    dataset: Dataset<I>,
    options?: Handles,
  ): Promise<Dataset<O, S>> {
    const inputs = Array.from({ length: dataset.buckets }, (_, bucket) =>
      dataset.parts.map((ref) => this.output(ref, bucket)),
    );
    return this.stage<O, S>("reduce", task, inputs, 1, options);
  }

  async fetch<T>(dataset: Dataset<T>, partition: number): Promise<T> {
    return this.output(part(dataset, partition), 0) as T;
  }

  async once<T extends Value>(compute: () => T | Promise<T>): Promise<T> {
    return compute();
  }

  async collect(
    files: Dataset<unknown> | { readonly [name: string]: Dataset<unknown> },
    metrics: Metrics = {},
  ): Promise<JobResult> {
    const named = isDataset(files) ? { result: files } : files;
    const artifacts: Artifact[] = [];
    for (const [name, dataset] of Object.entries(named)) {
      const bytes = concat(dataset.parts.map((ref) => artifactBytes(this.output(ref, 0))));
      this.artifacts.set(name, bytes);
      artifacts.push({ name, bytes: bytes.byteLength, sha256: await sha256(bytes) });
    }
    return { metrics, artifacts };
  }

  private async stage<O, S extends Value>(
    kind: "map" | "shuffle" | "reduce",
    task: AnyTask,
    inputs: readonly unknown[],
    buckets: number,
    options: Handles | undefined,
  ): Promise<Dataset<O, S>> {
    const name = this.taskNames.get(task);
    if (name === undefined) throw new KindlingError("UnknownTask", "the driver uses a task that the workload lacks");
    const label = options?.label ?? name;
    const broadcast = options?.broadcast === undefined ? undefined : this.results[options.broadcast.ordinal];
    // One instance lives across the tasks of a stage, as on a worker.
    const wasm = this.options.backend === "wasm" ? task.wasm : undefined;
    const exports = wasm === undefined ? undefined : await instantiate(wasm.module);
    const { backend } = this.options;
    const kernel = (backend === "wasm" ? undefined : task[backend]) ?? task.js;
    const outputs: Value[][] = [];
    const summaries: Value[] = [];
    for (const [partition, input] of inputs.entries()) {
      summaries[partition] = undefined;
      const context: GpuContext<unknown> = {
        broadcast,
        partition,
        buckets,
        memoryBytes: this.options.memoryBytes ?? 512 * 2 ** 20,
        signal: new AbortController().signal,
        open: (source) => this.reader(source),
        allocate: (bytes) => new Uint8Array(bytes),
        webgpu: this.options.webgpu ?? absent,
        webgl: this.options.webgl ?? absent,
        report: (summary) => {
          summaries[partition] = structuredClone(summary);
        },
        progress: (units) => {
          this.progress += units;
        },
      };
      const output: unknown =
        wasm !== undefined && exports !== undefined
          ? await wasm.run(exports, input, context)
          : await kernel(input, context);
      // Cloning proves that the output is plain data and no view into WASM memory that a later task overwrites.
      outputs.push(
        kind === "shuffle"
          ? checkedBuckets(structuredClone(output), buckets, label)
          : [structuredClone(output) as Value],
      );
    }
    const ordinal = this.results.push({ outputs }) - 1;
    this.stages.push({ label, outputs, summaries });
    return {
      parts: inputs.map((_, partition) => ({ ordinal, partition })),
      buckets,
      summaries: summaries as S[],
    };
  }

  private inputsOf(inputs: StageInputs): readonly unknown[] {
    return isDataset(inputs)
      ? inputs.parts.map((ref) => this.output(ref, 0))
      : inputs.map((input) => structuredClone(input));
  }

  private output(ref: OutputRef, bucket: number): Value {
    const { outputs } = this.results[ref.ordinal] as { outputs: Value[][] };
    const parts = outputs[ref.partition];
    if (parts === undefined || bucket >= parts.length) {
      throw new RangeError(`stage ${ref.ordinal} has no output ${ref.partition}, bucket ${bucket}`);
    }
    return parts[bucket];
  }

  private reader(source: number): ByteReader {
    const bytes = this.results[source];
    const name = this.sourceNames.get(source);
    if (!(bytes instanceof Uint8Array) || name === undefined) throw new RangeError(`ordinal ${source} is no source`);
    const readInto = (target: Uint8Array, start: number): number => {
      const slice = bytes.subarray(start, start + target.byteLength);
      target.set(slice);
      return slice.byteLength;
    };
    return {
      name,
      size: bytes.byteLength,
      readInto: this.options.asyncReads
        ? async (target, start) => {
            await Promise.resolve();
            return readInto(target, start);
          }
        : readInto,
    };
  }
}

const absent = async (): Promise<never> => {
  throw new KindlingError("BackendUnavailable", "this run was given no GPU");
};

async function instantiate(module: Uint8Array): Promise<WebAssembly.Exports> {
  const { instance } = await WebAssembly.instantiate(module as Uint8Array<ArrayBuffer>, {});
  return instance.exports;
}

function checkedBuckets(output: unknown, buckets: number, label: string): Value[] {
  if (!Array.isArray(output) || output.length !== buckets) {
    throw new TypeError(`a task of ${label} must return ${buckets} buckets`);
  }
  return output as Value[];
}

function part(dataset: Dataset<unknown>, partition: number): OutputRef {
  const ref = dataset.parts[partition];
  if (ref === undefined) throw new RangeError(`the dataset has no partition ${partition}`);
  return ref;
}

const isDataset = (value: object): value is Dataset<unknown> => "parts" in value && Array.isArray(value.parts);

function isPartition<T>(value: T | { readonly dataset: Dataset<T>; readonly partition: number }): value is {
  readonly dataset: Dataset<T>;
  readonly partition: number;
} {
  return typeof value === "object" && value !== null && "dataset" in value && "partition" in value;
}

function artifactBytes(value: Value): Uint8Array {
  if (value instanceof Uint8Array) return value;
  return new TextEncoder().encode(typeof value === "string" ? value : `${JSON.stringify(value)}\n`);
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((total, bytes) => total + bytes.byteLength, 0));
  let at = 0;
  for (const bytes of parts) {
    out.set(bytes, at);
    at += bytes.byteLength;
  }
  return out;
}

async function sha256(bytes: Uint8Array): Promise<BlobHash> {
  const digest = await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>);
  return blobHash(new Uint8Array(digest).toHex());
}
