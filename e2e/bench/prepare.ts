import { spawn } from "node:child_process";
import { join } from "node:path";
import { ensureBuilt } from "../support/build.ts";
import { ensureChromium } from "../support/chromium.ts";
import { inNamespace, namespaceProblem } from "../support/netns.ts";
import { folders, makeFolders } from "./folders.ts";
import { fetchChicago } from "./forecast/chicago.ts";
import type { BenchOptions } from "./options.ts";
import { openPython, preparePython } from "../support/python.ts";

/** Set in the environment of the process that measures. */
export const PREPARED = "KINDLING_BENCH_PREPARED";

/**
 * Builds and fetches all that needs the network, then runs `command` to measure, in a network namespace where one can be made;
 * gives its exit code.
 */
export async function prepare(
  { bench, cases }: BenchOptions,
  command: readonly string[],
  say: (line: string) => void,
): Promise<number> {
  makeFolders();
  const failed = ensureBuilt(say);
  if (failed !== undefined) throw new Error(`npm run ${failed} failed`);
  preparePython(folders.python(bench), join(import.meta.dirname, bench, "requirements.txt"), say);
  if (bench === "forecast" && (cases === null || cases.includes("chicago"))) {
    await fetchChicago(openPython(folders.python(bench)), say).catch((error: unknown) => {
      say(`no weather of Chicago: ${error instanceof Error ? error.message : String(error)}`);
    });
  }
  const env: NodeJS.ProcessEnv = { ...process.env, [PREPARED]: "1" };
  try {
    env["KINDLING_CHROMIUM"] = ensureChromium(say);
  } catch (error) {
    say(`no tab will be measured: ${error instanceof Error ? error.message : String(error)}`);
  }
  const problem = namespaceProblem();
  if (problem !== undefined) say(`on this machine's network: ${problem}`);
  const [program = "", ...args] = problem === undefined ? inNamespace(command) : command;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env, stdio: "inherit" });
    child.on("error", reject);
    child.on("close", (code) => resolve(code ?? 1));
  });
}
