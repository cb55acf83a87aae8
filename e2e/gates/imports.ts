/**
 * The import rules of `.dependency-cruiser.cjs`, with one more check: that files were looked at. With a TypeScript that it cannot
 * drive, dependency-cruiser reads no file, finds no violation and passes.
 */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { cruise, type ICruiseResult } from "dependency-cruiser";
import extractDepcruiseOptions from "dependency-cruiser/config-utl/extract-depcruise-options";
import extractTSConfig from "dependency-cruiser/config-utl/extract-ts-config";

const PROJECT = join(import.meta.dirname, "../..");
const FOLDERS = ["shared", "workloads", "client", "coordinator", "docker", "e2e"];

export interface ImportReport {
  /** Files of the project itself that were read. */
  readonly files: number;
  readonly imports: number;
  /** `RULE: FROM → TO`, one for each import that a rule forbids. */
  readonly violations: readonly string[];
}

/**
 * Checks the project's top-level folders under `root` by this project's rules.
 * @throws if there is nothing to check, or a folder holds TypeScript of which none was read.
 */
export async function checkImports(root = PROJECT): Promise<ImportReport> {
  const folders = FOLDERS.filter((folder) => hasTypeScript(join(root, folder)));
  if (folders.length === 0) throw new Error(`no folder of the project in ${root} holds TypeScript`);
  const options = await extractDepcruiseOptions(join(PROJECT, ".dependency-cruiser.cjs"));
  const { output } = await cruise(
    folders,
    { ...options, validate: true, baseDir: root, outputType: "json" },
    undefined,
    {
      tsConfig: extractTSConfig(join(PROJECT, "tsconfig.json")),
    },
  );
  const { modules, summary } = (typeof output === "string" ? JSON.parse(output) : output) as ICruiseResult;
  const own = modules.filter(({ source }) => FOLDERS.some((folder) => source.startsWith(`${folder}/`)));
  for (const folder of folders) {
    if (!own.some(({ source }) => source.startsWith(`${folder}/`) && source.endsWith(".ts"))) {
      throw new Error(`dependency-cruiser read no file of ${folder}/: does it support the installed TypeScript?`);
    }
  }
  return {
    files: own.length,
    imports: own.reduce((sum, { dependencies }) => sum + dependencies.length, 0),
    violations: summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`),
  };
}

const hasTypeScript = (folder: string): boolean =>
  existsSync(folder) && readdirSync(folder, { recursive: true }).some((name) => /(?<![.]d)[.]ts$/.test(String(name)));

if (import.meta.main) {
  const { files, imports, violations } = await checkImports();
  for (const violation of violations) process.stderr.write(`${violation}\n`);
  process.stdout.write(`${files} files, ${imports} imports, ${violations.length} forbidden\n`);
  process.exitCode = violations.length === 0 ? 0 : 1;
}
