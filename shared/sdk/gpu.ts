/**
 * What a kernel sees of a GPU. The runtime makes it (client/gpu), so that a workload's bundle carries its WGSL and nothing
 * else, and every kernel gets the same treatment of limits, errors and lost devices.
 */

import { KindlingError } from "../errors.ts";

/** Memory on the GPU, in 32-bit words. It lives until the work it was made for is over. */
export interface GpuBuffer {
  readonly words: number;
}

/** A compiled WGSL module; its entry point is called `main`. */
export interface GpuProgram {
  readonly name: string;
}

/** One program run over `groups` workgroups. */
export interface GpuPass {
  readonly program: GpuProgram;
  /** Bound to @group(0) in order, as `storage`; the program uses all of them. */
  readonly buffers: readonly GpuBuffer[];
  /**
   * Any number: they are laid out in two dimensions where one does not suffice, so a program numbers them as
   * `workgroup_id.y * num_workgroups.x + workgroup_id.x` and passes over those that are too many.
   */
  readonly groups: number;
}

/** A WebGPU device at work for one task. */
export interface Gpu {
  /** The most words that one buffer may have. */
  readonly maxWords: number;
  /** Compiles once a worker; rejects with the compiler's message, which names module and line. */
  program(name: string, wgsl: string, constants?: Readonly<Record<string, number>>): Promise<GpuProgram>;
  /** Zeroed memory, or a copy of bytes, zeros after them up to the end of a word. */
  buffer(content: number | Uint8Array | Uint32Array): GpuBuffer;
  /** Queues passes; each sees what those before it wrote. */
  run(passes: readonly GpuPass[]): void;
  /** Frees memory before the work is over. */
  free(...buffers: readonly GpuBuffer[]): void;
  /** The first words of a buffer, once all passes before have run. */
  read(buffer: GpuBuffer, words?: number): Promise<Uint32Array<ArrayBuffer>>;
}

/** A kernel of gpu.js on WebGL2. Inputs are lists of numbers, exact up to 2²⁴; so is what it gives. */
export type WebGlProgram = (size: WebGlSize, ...inputs: readonly (Float32Array | number)[]) => readonly Float32Array[];

/** A program gives `rows` lists of `columns` numbers: its `this.thread.y` and `this.thread.x`. */
export interface WebGlSize {
  readonly columns: number;
  readonly rows: number;
}

export interface WebGlSource {
  readonly name: string;
  /** The kernel as JavaScript text, in gpu.js's subset: minifiers rewrite functions. */
  readonly kernel: string;
  /** GLSL ES 3.00 functions that it calls, by name: integers are exact there, and 32 bits wide. */
  readonly glsl?: Readonly<Record<string, string>>;
}

/** Every WebGL2 device takes 2²² numbers in a list and gives as many. */
export interface WebGl {
  /** Compiled once a worker, when it first runs. */
  program(source: WebGlSource): WebGlProgram;
}

/** Opens the device for the time of `work`, and frees what it made. Rejects with `GpuFailed` (retryable) if it failed on the way. */
export type UseGpu = <T>(work: (gpu: Gpu) => Promise<T>) => Promise<T>;
export type UseWebGl = <T>(work: (gl: WebGl) => Promise<T>) => Promise<T>;

/** A kernel hands its task back with this: the runtime lets the next best kernel do it, and the job says so. */
export const gpuUnsuited = (why: string): KindlingError => new KindlingError("GpuUnsuited", why);
