import type { Clock } from "../clock.ts";
import { KindlingError, toWireError, type WireError } from "../errors.ts";
import type { StageSpec } from "../protocol/messages.ts";
import { encodeValue } from "../protocol/value-codec.ts";
import type { Backend, ByteReader, Probe, ProbeSize, SourceRange, GpuContext } from "../sdk/task.ts";
import type { AnyTask, Workload } from "../sdk/workload.ts";
import type { Value } from "../value.ts";
import { type ChosenBackend, chooseBackend, cpuBackend, MAX_REASON } from "./choose-backend.ts";
import type { OpenSource, RuntimeEnvironment } from "./environment.ts";
import { WasmInstances } from "./wasm-instances.ts";

/** One partition's work, with everything that its kernel reads at hand. */
export interface TaskRequest {
  readonly stage: StageSpec;
  readonly partition: number;
  /** The input's value; in a reduce the values of one bucket, in the order of the parts. */
  readonly input: Value;
  readonly broadcast: Value;
  readonly signal: AbortSignal;
  /** Told how much is done so far, in the workload's unit, whenever the kernel tells more. */
  readonly progress?: (units: number) => void;
}

export interface TaskOutcome {
  /** One output, or one for each bucket of a shuffle. They may be views of memory that the next task overwrites. */
  readonly outputs: readonly Value[];
  readonly summary: Value;
  readonly backend: Backend;
  readonly reason: string;
  /** Sum of the progress that the kernel told. */
  readonly units: number;
  /** ms in the kernel. */
  readonly runMs: number;
}

/**
 * ms of work of a task after which `auto` tries GPUs too: opening one, fetching what it needs and compiling shaders costs more than a
 * short job can win.
 */
const GPU_AFTER_MS = 250;

/** Runs tasks in one thread, one at a time. Keeps what repeats: compiled modules, the stage's instance, measured backends. */
export class TaskRuntime {
  readonly #environment: RuntimeEnvironment;
  readonly #clock: Clock;
  readonly #instances: WasmInstances;
  readonly #choices = new Map<string, Promise<ChosenBackend>>();
  /** ms that this thread's kernels have worked, by choice. */
  readonly #worked = new Map<string, number>();

  constructor(environment: RuntimeEnvironment, clock: Clock) {
    this.#environment = environment;
    this.#clock = clock;
    this.#instances = new WasmInstances((bytes) => environment.dropped?.(bytes));
  }

  /** Compiles the modules of a workload's tasks, where that is of use. */
  async compile(workload: Workload): Promise<void> {
    if (!this.#environment.backends.includes("wasm")) return;
    const modules = new Set(
      Object.values(workload.tasks).flatMap(({ wasm }) => (wasm === undefined ? [] : [wasm.module])),
    );
    await Promise.all([...modules].map((code) => this.#instances.compile(code)));
  }

  /** Lets go of the last stage's memory: no task is in sight. One of the same stage may come all the same. */
  rest(): void {
    this.#instances.discard();
  }

  /**
   * Runs the kernel of one task. A KindlingError thrown by the kernel (told by its shape: bundles carry their own copy of the
   * class) comes out as it is; a trap or any other exception as `TaskCrashed`, retryable.
   */
  async run(workload: Workload, request: TaskRequest): Promise<TaskOutcome> {
    const { stage, signal } = request;
    const task = workload.tasks[stage.task];
    if (task === undefined) {
      throw new KindlingError("UnknownTask", `Workload "${workload.name}" has no task "${stage.task}"`);
    }
    throwIfAborted(signal, request);
    const chosen = await this.#choose(task, stage, signal);
    throwIfAborted(signal, request);
    try {
      return await this.#attempt(task, chosen, request);
    } catch (error) {
      const instead = this.#instead(task, chosen, stage, toWireError(error));
      if (instead === undefined) throw error;
      return this.#attempt(task, instead, request);
    }
  }

  /**
   * Another kernel for a task that the GPU handed back, or, where `auto` chose the GPU, failed at; this thread then leaves it
   * alone from now on.
   */
  #instead(task: AnyTask, { backend }: ChosenBackend, stage: StageSpec, error: WireError): ChosenBackend | undefined {
    if (backend !== "webgpu" && backend !== "webgl") return undefined;
    const instead = cpuBackend(task, this.#environment.backends);
    const because = (what: string): ChosenBackend => ({
      backend: instead,
      reason: `${instead}, since ${backend} ${what}: ${error.message}`.slice(0, MAX_REASON),
    });
    if (error.code === "GpuUnsuited") return because("handed it back");
    if (error.code !== "GpuFailed" || stage.backend !== "auto") return undefined;
    const failed = because("failed");
    this.#choices.set(choiceKey(stage), Promise.resolve(failed));
    return failed;
  }

  async #attempt(task: AnyTask, { backend, reason }: ChosenBackend, request: TaskRequest): Promise<TaskOutcome> {
    const { stage, partition, signal } = request;

    const opened: OpenSource[] = [];
    let summary: Value;
    let units = 0;
    const context: GpuContext<Value, Value> = {
      broadcast: request.broadcast,
      partition,
      buckets: stage.buckets,
      memoryBytes: this.#environment.memoryBytes,
      signal,
      open: (ordinal, end) => {
        const source = stage.sources.find((candidate) => candidate.ordinal === ordinal);
        if (source === undefined) {
          throw new KindlingError(
            "UnknownSource",
            `Task "${stage.task}" opens source ${ordinal}, which its job has not`,
          );
        }
        const range = rangeOf(request.input, ordinal);
        const expected = range && end !== undefined ? { ...range, end } : range;
        const reader = this.#environment.open(stage.job, source, expected, signal);
        opened.push(reader);
        return reader;
      },
      allocate: (bytes) => this.#environment.allocate(bytes),
      ...this.#gpus(),
      report: (value) => {
        summary = value;
      },
      progress: (more) => {
        units += more;
        request.progress?.(units);
      },
    };
    const start = this.#clock.now();
    let output: unknown;
    try {
      const stageKey = `${stage.job}/${stage.ordinal}`;
      output = await this.#runKernel(task, backend, keyOf(stage), stageKey, request.input, context);
    } catch (error) {
      const cause = backend === "wasm" && this.#instances.lacksMemory ? noMemory(error) : error;
      if (backend === "wasm") this.#instances.discard();
      if (signal.aborted) throwIfAborted(signal, request);
      throw taskError(cause, backend, request);
    } finally {
      for (const reader of opened) reader.close();
    }
    const runMs = this.#clock.now() - start;
    this.#worked.set(choiceKey(stage), (this.#worked.get(choiceKey(stage)) ?? 0) + runMs);
    this.#checkSummary(summary, stage);
    return { outputs: checkedOutputs(output, request), summary, backend, reason, units, runMs };
  }

  async #choose(task: AnyTask, stage: StageSpec, signal: AbortSignal): Promise<ChosenBackend> {
    const key = choiceKey(stage);
    const triesGpu = (this.#worked.get(key) ?? 0) >= GPU_AFTER_MS;
    let chosen = this.#choices.get(key);
    if (triesGpu && (await chosen)?.provisional) chosen = undefined;
    if (chosen === undefined) {
      const runProbe = async (backend: Backend, size: ProbeSize): Promise<void> => {
        const probe = task.probe?.(size) as Probe<Value, Value> | undefined;
        if (probe === undefined) return;
        const probeStage = `probe of ${keyOf(stage)}`;
        await this.#runKernel(task, backend, keyOf(stage), probeStage, probe.input, this.#probeContext(probe, signal));
      };
      const { backends } = this.#environment;
      chosen = chooseBackend(stage.task, task, stage.backend, backends, this.#clock, triesGpu, runProbe);
      this.#choices.set(key, chosen);
      chosen.catch(() => this.#choices.delete(key));
    }
    return chosen;
  }

  /** GPUs as this environment has them; a kernel that asks for another one finds out when it uses it. */
  #gpus(): Pick<GpuContext, "webgpu" | "webgl"> {
    const absent = (what: string) => async (): Promise<never> => {
      throw new KindlingError("BackendUnavailable", `This node has no ${what}`, { retryable: true });
    };
    const { webgpu = absent("WebGPU"), webgl = absent("WebGL2") } = this.#environment;
    return { webgpu, webgl };
  }

  #probeContext(probe: Probe<Value, Value>, signal: AbortSignal): GpuContext<Value, Value> {
    return {
      broadcast: probe.broadcast,
      partition: 0,
      buckets: probe.buckets ?? 1,
      memoryBytes: this.#environment.memoryBytes,
      signal,
      open: () => readerOf(probe.bytes ?? new Uint8Array()),
      allocate: (bytes) => this.#environment.allocate(bytes),
      ...this.#gpus(),
      report: () => {},
      progress: () => {},
    };
  }

  async #runKernel(
    task: AnyTask,
    backend: Backend,
    key: string,
    stage: string,
    input: Value,
    context: GpuContext<Value, Value>,
  ): Promise<unknown> {
    if (backend === "wasm" && task.wasm !== undefined) {
      const exports = await this.#instances.ofStage(stage, key, task.wasm.module);
      return task.wasm.run(exports, input, context) as unknown;
    }
    const kernel = backend === "wasm" ? undefined : task[backend];
    if (kernel === undefined) throw new KindlingError("BackendMissing", `There is no ${backend} kernel`);
    return kernel(input, context) as unknown;
  }

  #checkSummary(summary: Value, stage: StageSpec): void {
    if (summary === undefined) return;
    const bytes = encodeValue(summary).byteLength;
    if (bytes <= this.#environment.summaryBytes) return;
    throw new KindlingError(
      "SummaryTooLarge",
      `Task "${stage.task}" reports a summary of ${bytes} bytes, over the limit of ${this.#environment.summaryBytes}: ` +
        "return large values as the output",
    );
  }
}

const keyOf = (stage: StageSpec): string => `${stage.bundle}/${stage.task}`;
const choiceKey = (stage: StageSpec): string => `${keyOf(stage)} ${stage.backend}`;

const readerOf = (bytes: Uint8Array): ByteReader => ({
  name: "probe",
  size: bytes.length,
  readInto(target, start) {
    const part = bytes.subarray(start, start + target.length);
    target.set(part);
    return part.length;
  },
});

function checkedOutputs(output: unknown, { stage, partition }: TaskRequest): readonly Value[] {
  if (stage.kind !== "shuffle") return [output as Value];
  if (Array.isArray(output) && output.length === stage.buckets) return output as Value[];
  const got = Array.isArray(output) ? `${output.length} outputs` : `a single ${typeof output}`;
  throw new KindlingError(
    "BadOutput",
    `Task "${stage.task}" returned ${got} for partition ${partition}; a shuffle returns an array of ${stage.buckets}`,
  );
}

/** The range of this source that the input names: the input itself, or a field of it. */
function rangeOf(input: Value, ordinal: number): SourceRange | undefined {
  if (!isPlainObject(input)) return undefined;
  return [input, ...Object.values(input)].find(
    (value): value is SourceRange => isSourceRange(value) && value.source === ordinal,
  );
}

const isPlainObject = (value: Value): value is { readonly [key: string]: Value } =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);

const isSourceRange = (value: Value): value is SourceRange =>
  isPlainObject(value) && ["source", "start", "end"].every((field) => typeof value[field] === "number");

function throwIfAborted(signal: AbortSignal, { stage, partition }: TaskRequest): void {
  if (!signal.aborted) return;
  throw new KindlingError("Aborted", `Task "${stage.task}" was stopped on partition ${partition}`, { retryable: true });
}

/** Another node may have more, up to the 4 GiB that WebAssembly can address. */
const noMemory = (cause: unknown): KindlingError =>
  new KindlingError("TaskCrashed", "it found no more memory: make smaller tasks, by more partitions", {
    retryable: true,
    cause,
  });

function taskError(error: unknown, backend: Backend, { stage, partition }: TaskRequest): KindlingError {
  const { code, message, retryable } = toWireError(error);
  const where = `${backend} kernel of task "${stage.task}" failed on partition ${partition}: `;
  return new KindlingError(code, code === "TaskCrashed" ? where + message : message, { retryable, cause: error });
}
