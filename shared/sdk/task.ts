import type { Value } from "../value.ts";
import type { UseGpu, UseWebGl } from "./gpu.ts";

/** Where a kernel runs. `js` is the reference and always there. */
export type Backend = "js" | "wasm" | "webgpu" | "webgl";
/** What a user may ask for: `auto` measures the exact kernels that this machine can run, and takes the fastest. */
export type BackendChoice = Backend | "auto";
export const BACKEND_CHOICES = ["auto", "wasm", "webgpu", "webgl", "js"] as const satisfies readonly BackendChoice[];

/** A part of an input: the bytes [start, end) of the source with that ordinal. */
export type SourceRange = {
  readonly source: number;
  readonly start: number;
  readonly end: number;
};

/** Random access to a whole source; reading past a range's end is allowed (the last record may cross it). */
export interface ByteReader {
  /** As the user named it, for messages. */
  readonly name: string;
  /** Bytes in the whole source. */
  readonly size: number;
  /**
   * Fills `target` from absolute position `start`; gives the bytes read, fewer only at the source's end.
   * `target` may lie in WASM memory. Sequential reads are fetched ahead.
   */
  readInto(target: Uint8Array, start: number): number | Promise<number>;
}

/** What a kernel gets beside its input. `B` is the broadcast value, `S` the summary that it may report. */
export interface TaskContext<B = undefined, S extends Value = Value> {
  readonly broadcast: B;
  readonly partition: number;
  /** How many buckets a shuffle's kernel must return; 1 in map and reduce. */
  readonly buckets: number;
  /** Bytes that this worker may use. */
  readonly memoryBytes: number;
  readonly signal: AbortSignal;
  /** `end`: up to where it will certainly be read, where that is not the end of the range that the input names. */
  open(source: number, end?: number): ByteReader;
  /** Bytes for a large output. Within one process they are shared memory and pass on without a copy. */
  allocate(bytes: number): Uint8Array;
  /** Attaches a small value (≤ 16 KiB encoded) that the driver sees in `dataset.summaries`. */
  report(summary: S): void;
  /** Tells how much is done, in the workload's own unit (tuples, trees, rows); shown as live throughput. */
  progress(units: number): void;
}

/** What a GPU's kernel gets: the device of its name is there. */
export interface GpuContext<B = undefined, S extends Value = Value> extends TaskContext<B, S> {
  readonly webgpu: UseGpu;
  readonly webgl: UseWebGl;
}

/**
 * One backend's implementation. A `map` kernel maps an input to an output; a `shuffle` kernel returns one output per
 * bucket; a `reduce` kernel gets the outputs of one bucket, ordered by map partition.
 * It must be deterministic: same input, same bytes, on every engine.
 */
export type Kernel<I, O, B = undefined, S extends Value = Value> = (
  input: I,
  context: TaskContext<B, S>,
) => O | Promise<O>;

export type GpuKernel<I, O, B = undefined, S extends Value = Value> = (
  input: I,
  context: GpuContext<B, S>,
) => O | Promise<O>;

/**
 * A kernel whose hot loop is WebAssembly. `run` gets the exports of an instance that is new in each stage. An instance that sets an
 * exported global `lacksMemory` to 1 and traps has its task fail for want of memory, which the message then says.
 */
export interface WasmKernel<I, O, B = undefined, S extends Value = Value> {
  readonly module: Uint8Array;
  run(exports: WebAssembly.Exports, input: I, context: TaskContext<B, S>): O | Promise<O>;
}

export type ProbeSize = "small" | "large";
export interface Probe<I = Value, B = undefined> {
  readonly input: I;
  readonly broadcast?: B;
  readonly buckets?: number;
  /** What its sources hold, whatever their ordinal. */
  readonly bytes?: Uint8Array;
}

export interface Task<I = Value, O = Value, B = undefined, S extends Value = Value> {
  readonly js: Kernel<I, O, B, S>;
  readonly wasm?: WasmKernel<I, O, B, S>;
  readonly webgpu?: GpuKernel<I, O, B, S>;
  readonly webgl?: GpuKernel<I, O, B, S>;
  /** Backends whose results may differ from `js`: never chosen by `auto`. */
  readonly inexact?: readonly Backend[];
  /**
   * Inputs with which `auto` times backends once per worker; made when they are needed. `small`: some ms of the reference, to
   * tell `js` and `wasm` apart. `large`: some ms of WASM, to tell the better of them and a GPU apart, once the task has worked for a while. Without it `auto`
   * takes `wasm` where there is one, since a probe on real work would run it twice.
   */
  readonly probe?: (size: ProbeSize) => Probe<I, B>;
}

/** A task with its types inferred from the JS reference kernel. */
export const defineTask = <I, O, B = undefined, S extends Value = Value>(task: Task<I, O, B, S>): Task<I, O, B, S> =>
  task;
