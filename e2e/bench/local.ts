import type { RunSummary } from "../../client/cli/summary.ts";
import { Running } from "../support/processes.ts";

/** ms between two looks at a process's memory; its peak only grows, so the last look is what counts. */
const LOOK_EVERY = 20;

export interface LocalRun {
  readonly summary: RunSummary;
  /** The most memory that was resident at a time, bytes; null where the system does not tell. */
  readonly peakBytes: number | null;
}

/** `kindling run WORKLOAD … --json` in a process of its own. */
export async function runLocal(workload: string, args: readonly string[]): Promise<LocalRun> {
  const running = new Running(["run", workload, ...args, "--json"]);
  const look = setInterval(() => void running.peakBytes, LOOK_EVERY);
  const { code, stdout, stderr } = await running.ended.finally(() => clearInterval(look));
  if (code !== 0) throw new Error(stderr.trim().split("\n").at(-1) || `kindling run ended with ${code}`);
  return { summary: JSON.parse(stdout) as RunSummary, peakBytes: running.peakBytes };
}

/** A workload's help, in which its options are listed. */
export async function helpOf(workload: string): Promise<string> {
  const { code, stdout, stderr } = await new Running(["run", workload, "--help"]).ended;
  if (code !== 0) throw new Error(`kindling run ${workload} --help failed: ${stderr.trim()}`);
  return stdout;
}
