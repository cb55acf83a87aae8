/** The door: all of EMR's settings and provisioning that the command line may use. */
export { checkRegion, ecrHost, registryOf } from "./image-name.ts";
export { notebookCell } from "./notebook-cell.ts";
export { rapidsBootstrap } from "./rapids.ts";
export { DEFAULT_RELEASE, parseRelease } from "./release.ts";
export { type Settings, softwareSettings } from "./settings.ts";
