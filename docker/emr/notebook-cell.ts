import { dockerRuntime } from "./settings.ts";
import type { Release } from "./release.ts";

/** The first cell of an EMR notebook: its session's driver and executors run in `image`. */
export function notebookCell(release: Release, image: string, executors: number): string {
  const conf = {
    // Packages come with the image; a virtual environment would hide them.
    "spark.pyspark.virtualenv.enabled": "false",
    ...dockerRuntime(release, image),
    "spark.executor.instances": String(executors),
  };
  return `%%configure -f\n${JSON.stringify({ conf }, null, 2)}\n`;
}
