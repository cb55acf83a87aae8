import { spawn } from "node:child_process";
import { delimiter, join } from "node:path";

const PROJECT = join(import.meta.dirname, "../..");

export interface Gate {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
}

/** What every change must pass besides the tests. */
export const gates: readonly Gate[] = [
  { name: "format", command: ["biome", "ci", "--colors=off", "."] },
  { name: "types", command: ["tsc", "--noEmit"] },
  { name: "lint", command: ["eslint", "--max-warnings=0", "."] },
  { name: "imports", command: ["node", "e2e/gates/imports.ts"] },
  { name: "dead code", command: ["knip"] },
  { name: "lock", command: ["node", "e2e/gates/lock-complete.ts"] },
];

/** Runs the gates, two at a time, and says `PASS name` or what the tool said and `FAIL name`; gives the numbers. */
export async function runGates(say: (text: string) => void): Promise<{ passed: number; failed: number }> {
  const waiting = [...gates];
  let passed = 0;
  const lane = async (): Promise<void> => {
    for (let gate = waiting.shift(); gate !== undefined; gate = waiting.shift()) {
      const started = performance.now();
      const { ok, output } = await runTool(gate.command);
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      if (ok) passed++;
      say(
        ok ? `PASS ${gate.name} (${seconds} s)` : `${output.trimEnd()}\nFAIL ${gate.name}: ${gate.command.join(" ")}`,
      );
    }
  };
  await Promise.all([lane(), lane()]);
  return { passed, failed: gates.length - passed };
}

/** Runs one of the project's tools in `folder`; `output` is what it wrote to both streams. */
export function runTool(
  [command, ...args]: Gate["command"],
  folder = PROJECT,
): Promise<{ ok: boolean; output: string }> {
  return new Promise((resolve) => {
    const path = [join(PROJECT, "node_modules/.bin"), process.env["PATH"] ?? ""].join(delimiter);
    const child = spawn(command, args, { cwd: folder, env: { ...process.env, PATH: path, NO_COLOR: "1" } });
    let output = "";
    const add = (chunk: Buffer): void => {
      output += chunk.toString();
    };
    child.stdout.on("data", add);
    child.stderr.on("data", add);
    child.on("error", (error) => resolve({ ok: false, output: error.message }));
    child.on("close", (code) => resolve({ ok: code === 0, output }));
  });
}
