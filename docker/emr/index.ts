/** The door: all of EMR's settings and provisioning that the command line may use. */
export { clusterRequest, describeRequest, IDLE_LIMITS } from "./cluster-request.ts";
export { type ClusterStatus, Clusters } from "./clusters.ts";
export { checkRequirements, derivedDockerfile } from "./derived-image.ts";
export { docker, loggedIn } from "./docker-command.ts";
export { checkRepository, Registry } from "./ecr.ts";
export { checkRegion, ecrHost, registryOf } from "./image-name.ts";
export { notebookCell } from "./notebook-cell.ts";
export { rapidsBootstrap } from "./rapids.ts";
export { parseRelease } from "./release.ts";
export { type Settings, softwareSettings } from "./settings.ts";
export { stepLogs } from "./step-logs.ts";
