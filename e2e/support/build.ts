import { spawnSync } from "node:child_process";
import { existsSync, globSync, statSync } from "node:fs";
import { join } from "node:path";

const PROJECT = join(import.meta.dirname, "../..");

const files = (...patterns: string[]): string[] =>
  globSync(patterns, { cwd: PROJECT }).map((name) => join(PROJECT, name));
const modified = (file: string): number => statSync(file).mtimeMs;

/** Which npm scripts must run so that kernels and pages are there and newer than what they are made of. */
function staleBuilds(): string[] {
  const stale: string[] = [];
  const kernelIsStale = files("workloads/*/assembly/index.ts").some((entry) => {
    const kernel = join(entry, "../../kernel.wasm");
    const sources = files(`workloads/*/assembly/**/*.ts`, "workloads/build-wasm.ts");
    return !existsSync(kernel) || sources.some((source) => modified(source) > modified(kernel));
  });
  if (kernelIsStale) stale.push("build:wasm");
  const pages = files("dist/**/*.html");
  const sources = files("{client,shared}/**/*.{ts,html,css,svg}", "vite.config.ts", "package-lock.json");
  const oldest = Math.min(...pages.map(modified));
  if (pages.length === 0 || sources.some((source) => modified(source) > oldest)) stale.push("build:pages");
  return stale;
}

/** Builds what is missing or stale; gives the script that failed, if one did. */
export function ensureBuilt(say: (line: string) => void): string | undefined {
  for (const script of staleBuilds()) {
    say(`npm run ${script}`);
    const { status } = spawnSync("npm", ["run", "--silent", script], { cwd: PROJECT, stdio: "inherit" });
    if (status !== 0) return script;
  }
  return undefined;
}
