import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type Gate, gates, runTool } from "./gates.ts";

const PROJECT = join(import.meta.dirname, "../..");

/** The project's own rules … */
const RULES = [
  ...["package.json", "package-lock.json", "tsconfig.json", "biome.json", "knip.json"],
  ...["eslint.config.js", ".dependency-cruiser.cjs", "e2e/gates/imports.ts", "e2e/gates/lock-complete.ts"],
];

/** … over the smallest project that keeps them. */
const CLEAN: Readonly<Record<string, string>> = {
  "shared/sdk/index.ts": "export const two = (): number => 2;\n",
  "workloads/toy/workload.ts": 'import { two } from "kindling";\n\nexport default Math.sqrt(two()) * 2 ** 3;\n',
  "coordinator/scheduler/reduce.ts":
    'import { two } from "../../shared/sdk/index.ts";\n\nexport const reduce = (now: number): number => now + two();\n',
  "coordinator/index.ts": 'export { reduce } from "./scheduler/reduce.ts";\n',
  "client/cli/kindling.ts":
    'import { reduce } from "../../coordinator/index.ts";\n\nprocess.stdout.write(`${reduce(1)}\\n`);\n',
};

export type Plants = Readonly<Record<string, string>>;

/**
 * A small copy of the project under the same rules, with `plants` (path → text) added. Its packages are the project's, unless
 * `plants` brings some. Remove it with `remove`.
 */
export function plantedProject(plants: Plants): { readonly folder: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), "kindling-gates-"));
  for (const rule of RULES) cpSync(join(PROJECT, rule), join(folder, rule));
  const bringsPackages = Object.keys(plants).some((path) => path.startsWith("node_modules/"));
  if (!bringsPackages) symlinkSync(join(PROJECT, "node_modules"), join(folder, "node_modules"));
  for (const [path, text] of Object.entries({ ...CLEAN, ...plants })) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** What the gate called `name` says about the small project with `plants`. */
export async function gateOn(
  name: string,
  plants: Plants,
  options: readonly string[] = [],
): Promise<{ ok: boolean; output: string }> {
  const gate = gates.find((candidate) => candidate.name === name);
  if (gate === undefined) throw new Error(`there is no gate called ${name}`);
  const project = plantedProject(plants);
  try {
    const command: Gate["command"] = [...gate.command, ...options];
    return await runTool(command, project.folder);
  } finally {
    project.remove();
  }
}
