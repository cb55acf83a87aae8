import { spawnSync } from "node:child_process";
import { join } from "node:path";

const SCRIPT = join(import.meta.dirname, "netns.sh");

/** Why no private network namespace can be made here; undefined when it can. */
export function namespaceProblem(): string | undefined {
  if (process.platform !== "linux") return `network namespaces are Linux's; this is ${process.platform}`;
  const run = spawnSync("bash", [SCRIPT, "true"], { encoding: "utf8" });
  if (run.error !== undefined) return run.error.message;
  return run.status === 0 ? undefined : run.stderr.trim() || `netns.sh ended with ${run.status}`;
}

/** The command that runs `command` inside a private network namespace of its own. */
export const inNamespace = (command: readonly string[]): string[] => ["bash", SCRIPT, ...command];
