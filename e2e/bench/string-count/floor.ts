import { execFileSync, spawnSync } from "node:child_process";
import { join } from "node:path";
import { folders } from "../folders.ts";
import type { Contender } from "../model.ts";
import type { contenderMaker } from "./contenders.ts";

const SOURCE = join(import.meta.dirname, "floor.c");
const COMPILER = process.env["CC"] ?? "cc";
const PROGRAM = join(folders.build, "floor");

/** Compiles the plain C loop; gives why that cannot be done here. */
export function compileFloor(): string | undefined {
  const compiled = spawnSync(COMPILER, ["-O3", "-o", PROGRAM, SOURCE], { encoding: "utf8" });
  if (compiled.error !== undefined) return `there is no C compiler here (${compiled.error.message})`;
  return compiled.status === 0 ? undefined : `${COMPILER} failed: ${compiled.stderr.trim()}`;
}

/** The workload's kernel on one thread, over bytes that are in memory. */
export const scan = ({ counted }: ReturnType<typeof contenderMaker>, name: string, input: string): Contender => ({
  name,
  measure: () =>
    counted("scan.csv", async (out) => {
      const args = [join(import.meta.dirname, "scan.ts"), join(folders.data, input), out];
      const output = execFileSync(process.execPath, args, { encoding: "utf8" });
      return { figures: { seconds: (JSON.parse(output) as { seconds: number }).seconds } };
    }),
});

/** The plain C loop on one core, over bytes that are in memory or reading the file too. */
export const floor = (
  { counted }: ReturnType<typeof contenderMaker>,
  name: string,
  from: "memory" | "file",
  input: string,
): Contender => ({
  name,
  measure: () =>
    counted("floor.csv", async (out) => {
      const output = execFileSync(PROGRAM, [from, join(folders.data, input), out], { encoding: "utf8" });
      return { figures: { seconds: (JSON.parse(output) as { seconds: number }).seconds } };
    }),
});
