/** The door: all of the coordinator that the command line and end-to-end tests may use. */
export { explainAws } from "./aws/errors.ts";
export { openObject } from "./aws/s3-object.ts";
export { isS3, S3 } from "./aws/s3.ts";
export { uploadObject } from "./aws/s3-upload.ts";
export { checkEngine, isSparkEngine } from "./executors/spark/engine.ts";
export type { SparkJob } from "./executors/spark/application.ts";
export { prepareSpark, startSpark } from "./executors/spark/run.ts";
export type { SparkStatus } from "./executors/spark/status.ts";
export { sparkJobView } from "./executors/spark/view.ts";
export { createInProcessCoordinator, type InProcessCoordinator } from "./in-process.ts";
export { type ArtifactSink, streamedArtifacts } from "./jobs/artifacts.ts";
export { type Bundle, builtinPath, bundleWorkload, isBuiltin } from "./jobs/bundle.ts";
export { newJobId } from "./jobs/manager.ts";
export { checkParams, loadWorkload } from "./jobs/workload.ts";
export { type Coordinator, readTokens, startCoordinator } from "./main.ts";
export { JobLog } from "./observe/log.ts";
export { makeFolder } from "./store/data-dir.ts";
