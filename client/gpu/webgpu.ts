import { KindlingError } from "../../shared/errors.ts";
import {
  type Gpu,
  type GpuBuffer,
  type GpuPass,
  type GpuProgram,
  gpuUnsuited,
  type UseGpu,
} from "../../shared/sdk/gpu.ts";

/** The specification's numbers: types know the globals that have them in some libraries only. */
const USAGE = { mapRead: 1, copySource: 4, copyTarget: 8, storage: 128 };
const MAP_READ = 1;

/** The most workgroups in one dimension that every WebGPU device allows. */
const MAX_GROUPS = 65_535;

interface Program extends GpuProgram {
  readonly pipeline: GPUComputePipeline;
}
interface Buffer extends GpuBuffer {
  readonly buffer: GPUBuffer;
}

/** A failed device may work again, or another node's may. */
const failed = (message: string, cause?: unknown): KindlingError =>
  new KindlingError("GpuFailed", message, { retryable: true, cause });

/** An adapter of this thread; undefined where there is none, or no secure context. */
export async function findAdapter(): Promise<GPUAdapter | undefined> {
  const gpu = (navigator as { readonly gpu?: GPU }).gpu;
  try {
    return (await gpu?.requestAdapter({ powerPreference: "high-performance" })) ?? undefined;
  } catch {
    return undefined;
  }
}

/** WebGPU for the kernels of one worker: one device, opened when the first kernel asks, and anew after it was lost. */
export function webGpu(adapterOf: () => Promise<GPUAdapter | undefined> = findAdapter): UseGpu {
  let open: OpenDevice | undefined;
  return async (work) => {
    if (open === undefined || open.isLost()) open = await openDevice(adapterOf);
    const task = new GpuTask(open);
    try {
      return await Promise.race([task.guard(work), open.lost]);
    } finally {
      task.end();
    }
  };
}

interface OpenDevice {
  readonly device: GPUDevice;
  readonly programs: Map<string, Promise<Program>>;
  /** Rejects when the device is lost. */
  readonly lost: Promise<never>;
  isLost(): boolean;
}

async function openDevice(adapterOf: () => Promise<GPUAdapter | undefined>): Promise<OpenDevice> {
  const adapter = await adapterOf();
  if (adapter === undefined) throw failed("This node has no WebGPU adapter any more");
  const { maxBufferSize, maxStorageBufferBindingSize } = adapter.limits;
  const device = await adapter
    .requestDevice({ requiredLimits: { maxBufferSize, maxStorageBufferBindingSize } })
    .catch((cause: unknown) => {
      throw failed(`The WebGPU device cannot be opened: ${String(cause)}`, cause);
    });
  let isLost = false;
  const lost = device.lost.then(({ reason, message }): never => {
    isLost = true;
    throw failed(`The WebGPU device was lost (${reason})${message === "" ? "" : `: ${message}`}`);
  });
  lost.catch(() => {});
  return { device, programs: new Map(), lost, isLost: () => isLost };
}

/** The device during one task: it notes what the task makes, and what goes wrong. */
class GpuTask implements Gpu {
  readonly maxWords: number;
  readonly #open: OpenDevice;
  readonly #made = new Set<GPUBuffer>();

  constructor(open: OpenDevice) {
    this.#open = open;
    const { maxBufferSize, maxStorageBufferBindingSize } = open.device.limits;
    this.maxWords = Math.floor(Math.min(maxBufferSize, maxStorageBufferBindingSize) / 4);
  }

  /** Runs the work; rejects where the device found a fault in it, which WebGPU itself tells nobody. */
  async guard<T>(work: (gpu: Gpu) => Promise<T>): Promise<T> {
    const { device } = this.#open;
    const kinds = ["out-of-memory", "internal", "validation"] as const;
    for (const kind of kinds) device.pushErrorScope(kind);
    let outcome: { readonly value: T } | { readonly error: unknown };
    try {
      outcome = { value: await work(this) };
    } catch (error) {
      outcome = { error };
    }
    const errors = await Promise.all(kinds.toReversed().map((kind) => scopeError(device, kind)));
    const found = errors.find((error) => error !== undefined);
    const knowsWhy = "error" in outcome && outcome.error instanceof KindlingError;
    if (found !== undefined && !knowsWhy) throw failed(found);
    if ("error" in outcome) throw outcome.error;
    return outcome.value;
  }

  program(name: string, wgsl: string, constants: Readonly<Record<string, number>> = {}): Promise<Program> {
    const { programs } = this.#open;
    const key = JSON.stringify([constants, wgsl]);
    let program = programs.get(key);
    if (program === undefined) {
      program = this.#compile(name, wgsl, constants);
      programs.set(key, program);
      program.catch(() => programs.delete(key));
    }
    return program;
  }

  async #compile(name: string, code: string, constants: Readonly<Record<string, number>>): Promise<Program> {
    const { device } = this.#open;
    const module = device.createShaderModule({ label: name, code });
    const { messages } = await module.getCompilationInfo();
    const problem = messages.find(({ type }) => type === "error");
    if (problem !== undefined) {
      throw failed(`The shader ${name} does not compile: line ${problem.lineNum}: ${problem.message}`);
    }
    const pipeline = await device
      .createComputePipelineAsync({ label: name, layout: "auto", compute: { module, entryPoint: "main", constants } })
      .catch((cause: unknown) => {
        throw failed(`The shader ${name} does not run here: ${String(cause)}`, cause);
      });
    return { name, pipeline };
  }

  buffer(content: number | Uint8Array | Uint32Array): Buffer {
    const { device } = this.#open;
    // A binding may not be empty.
    const bytes = Math.max(4, typeof content === "number" ? content * 4 : Math.ceil(content.byteLength / 4) * 4);
    if (bytes > this.maxWords * 4) {
      throw gpuUnsuited(`a buffer of ${bytes} bytes exceeds this GPU's ${this.maxWords * 4}`);
    }
    const usage = USAGE.storage | USAGE.copySource | USAGE.copyTarget;
    const mapped = typeof content !== "number";
    const buffer = device.createBuffer({ size: bytes, usage, mappedAtCreation: mapped });
    if (mapped) {
      const source = new Uint8Array(content.buffer, content.byteOffset, content.byteLength);
      new Uint8Array(buffer.getMappedRange()).set(source);
      buffer.unmap();
    }
    this.#made.add(buffer);
    return { words: bytes / 4, buffer };
  }

  run(passes: readonly GpuPass[]): void {
    const { device } = this.#open;
    const encoder = device.createCommandEncoder();
    for (const { program, buffers, groups } of passes) {
      const { pipeline } = program as Program;
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(
        0,
        device.createBindGroup({
          label: program.name,
          layout: pipeline.getBindGroupLayout(0),
          entries: buffers.map((buffer, binding) => ({ binding, resource: { buffer: (buffer as Buffer).buffer } })),
        }),
      );
      const rows = Math.max(1, Math.ceil(groups / MAX_GROUPS));
      pass.dispatchWorkgroups(Math.ceil(groups / rows), rows);
      pass.end();
    }
    device.queue.submit([encoder.finish()]);
  }

  free(...buffers: readonly GpuBuffer[]): void {
    for (const { buffer } of buffers as readonly Buffer[]) {
      buffer.destroy();
      this.#made.delete(buffer);
    }
  }

  async read(buffer: GpuBuffer, words = buffer.words): Promise<Uint32Array<ArrayBuffer>> {
    const { device } = this.#open;
    const size = words * 4;
    const copy = device.createBuffer({
      size: Math.max(4, size),
      usage: USAGE.copyTarget | USAGE.mapRead,
    });
    this.#made.add(copy);
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer((buffer as Buffer).buffer, 0, copy, 0, size);
    device.queue.submit([encoder.finish()]);
    await copy.mapAsync(MAP_READ);
    const values = new Uint32Array(copy.getMappedRange().slice(0, size));
    copy.destroy();
    this.#made.delete(copy);
    return values;
  }

  /** Frees all memory. */
  end(): void {
    for (const buffer of this.#made) buffer.destroy();
    this.#made.clear();
  }
}

async function scopeError(device: GPUDevice, kind: string): Promise<string | undefined> {
  const error = await device.popErrorScope().catch(() => null);
  return error === null ? undefined : `WebGPU ${kind} error: ${error.message}`;
}
