/** The second door: what a program needs that drives one job outside a coordinator, on an executor of its own. */
export { isS3, S3 } from "./aws/s3.ts";
export type { ChunkName, Executor, OpenedSource, StageRequest } from "./executors/executor.ts";
export { openLocalFile } from "./executors/fabric/files.ts";
export type { ReadableSource } from "./executors/fabric/source.ts";
export { Spool } from "./executors/fabric/spool.ts";
export type { SparkStatus } from "./executors/spark/status.ts";
export { type ArtifactSink, streamedArtifacts } from "./jobs/artifacts.ts";
export { createReplayingJob } from "./jobs/replay.ts";
export { checkedResult, driverError } from "./jobs/result.ts";
export { loadWorkload, parseParams } from "./jobs/workload.ts";
export { MemoryJournal } from "./store/memory-journal.ts";
