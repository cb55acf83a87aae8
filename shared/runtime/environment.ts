import type { JobId } from "../ids.ts";
import type { SourceSpec } from "../protocol/messages.ts";
import type { UseGpu, UseWebGl } from "../sdk/gpu.ts";
import type { Backend, ByteReader, SourceRange } from "../sdk/task.ts";

/** A source opened for one task. */
export interface OpenSource extends ByteReader {
  close(): void;
}

/** What the thread that runs tasks can do; implemented once for worker threads and once for Web Workers. */
export interface RuntimeEnvironment {
  /** Backends that work here, measured once. `js` is always among them. */
  readonly backends: readonly Backend[];
  /** Absent where `backends` lacks them. */
  readonly webgpu?: UseGpu;
  readonly webgl?: UseWebGl;
  /** Bytes that one task may use. */
  readonly memoryBytes: number;
  /** Cap of an encoded summary, in bytes. */
  readonly summaryBytes: number;
  /** `expected` is the range that the task's input names, or the kernel, so that read-ahead knows where to stop. */
  open(job: JobId, source: SourceSpec, expected: SourceRange | undefined, signal: AbortSignal): OpenSource;
  /** Zeroed bytes for a large output: shared memory where the output stays in the process. */
  allocate(bytes: number): Uint8Array;
  /** Hears how much memory is of no more use and waits for a collection. */
  dropped?(bytes: number): void;
}
