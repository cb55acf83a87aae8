import type { GPU, IKernelRunShortcut } from "gpu.js";
import { KindlingError } from "../../shared/errors.ts";
import type { UseWebGl, WebGl, WebGlProgram, WebGlSource } from "../../shared/sdk/gpu.ts";

/**
 * WebGL2 for kernels, by gpu.js. The library is fetched by the first kernel that asks for it: it is larger than all else that
 * a tab loads. Its ways onto the CPU evaluate text, which the pages' policy forbids, and are never taken.
 */

/** Whether this thread can compute with floats on WebGL2. */
export function hasWebGl2(): boolean {
  const context = newContext();
  // Browsers allow few contexts at a time: give this one back.
  context?.getExtension("WEBGL_lose_context")?.loseContext();
  return context !== undefined;
}

function newContext(): WebGL2RenderingContext | undefined {
  const context = new OffscreenCanvas(1, 1).getContext("webgl2");
  return context?.getExtension("EXT_color_buffer_float") ? context : undefined;
}

/** One context for a worker; a new one after it was lost. */
export function webGl(): UseWebGl {
  let device: Promise<WebGlDevice> | undefined;
  return async (work) => {
    if ((await device?.catch(() => undefined))?.isLost() ?? true) device = WebGlDevice.open();
    return work(await (device as Promise<WebGlDevice>));
  };
}

class WebGlDevice implements WebGl {
  readonly #gpu: GPU;
  readonly #context: WebGL2RenderingContext;
  readonly #programs = new Map<string, WebGlProgram>();

  static async open(): Promise<WebGlDevice> {
    const { GPU } = await import("gpu.js");
    const context = newContext();
    if (context === undefined) throw failed("This node cannot compute with WebGL2 any more");
    return new WebGlDevice(new GPU({ mode: "webgl2", canvas: context.canvas, context }), context);
  }

  private constructor(gpu: GPU, context: WebGL2RenderingContext) {
    this.#gpu = gpu;
    this.#context = context;
  }

  isLost(): boolean {
    return this.#context.isContextLost();
  }

  program(source: WebGlSource): WebGlProgram {
    const key = JSON.stringify(source);
    const program = this.#programs.get(key) ?? this.#program(source);
    this.#programs.set(key, program);
    return program;
  }

  #program({ name, kernel, glsl = {} }: WebGlSource): WebGlProgram {
    const compiled: IKernelRunShortcut = this.#gpu.createKernel(kernel, {
      output: [1, 1],
      precision: "single",
      tactic: "precision",
      dynamicOutput: true,
      dynamicArguments: true,
      nativeFunctions: Object.entries(glsl).map(([name, source]) => ({ name, source })),
    });
    compiled.setLoopMaxIterations(2 ** 20);
    return ({ columns, rows }, ...inputs) => {
      try {
        compiled.setOutput([columns, rows]);
        const output = compiled(...(inputs as Parameters<typeof compiled>));
        const error = this.#context.getError();
        if (error !== this.#context.NO_ERROR) throw new Error(`WebGL error ${error}`);
        return output as Float32Array[];
      } catch (cause) {
        const message = this.isLost()
          ? "The WebGL2 context was lost"
          : `The WebGL2 kernel ${name} failed: ${String(cause)}`;
        throw failed(message, cause);
      }
    };
  }
}

/** It may work again, or on another node. */
const failed = (message: string, cause?: unknown): KindlingError =>
  new KindlingError("GpuFailed", message, { retryable: true, cause });
