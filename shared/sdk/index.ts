/** The public face of the project: what a workload imports from "kindling". */
export * as z from "./z.ts";
export { InputError } from "../errors.ts";
export type { Value } from "../value.ts";
export { file, files, isFileSchema } from "./file.ts";
export { gpuUnsuited } from "./gpu.ts";
export type { Gpu, GpuBuffer, GpuProgram, WebGl, WebGlSource } from "./gpu.ts";
export type { Artifact, Broadcast, Dataset, Job, JobResult, Metrics, Source, StageOptions } from "./job.ts";
export { splitSource } from "./job.ts";
export { taskMemory, workers } from "./resources.ts";
export type {
  Backend,
  BackendChoice,
  ByteReader,
  GpuContext,
  Kernel,
  Probe,
  ProbeSize,
  SourceRange,
  Task,
  TaskContext,
  WasmKernel,
} from "./task.ts";
export { BACKEND_CHOICES, defineTask } from "./task.ts";
export type { Workload } from "./workload.ts";
export { defineWorkload } from "./workload.ts";
