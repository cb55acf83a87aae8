/**
 * Every optional dependency named in package-lock.json has an entry of its own. Where one is missing (a registry lacked a
 * platform's binary when the lock was made), `npm install` passes and `npm ci` fails, on some other machine.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";

export interface Lock {
  readonly packages?: Readonly<Record<string, { readonly optionalDependencies?: Readonly<Record<string, string>> }>>;
}

/** `WHO needs NAME` for each optional dependency that resolves to no entry, by Node's look-up from `WHO` outwards. */
export function missingEntries(lock: Lock): string[] {
  const packages = lock.packages ?? {};
  const missing: string[] = [];
  for (const [path, entry] of Object.entries(packages)) {
    for (const name of Object.keys(entry.optionalDependencies ?? {})) {
      if (!foldersFrom(path).some((folder) => `${folder}node_modules/${name}` in packages)) {
        missing.push(`${path === "" ? "the project" : path} needs ${name}`);
      }
    }
  }
  return missing;
}

/** The folders where Node looks for a `node_modules`, innermost first: `node_modules/a/`, then the root. */
function foldersFrom(path: string): string[] {
  const folders = path === "" ? [""] : [`${path}/`];
  let rest = path;
  for (let at = rest.lastIndexOf("node_modules/"); at >= 0; at = rest.lastIndexOf("node_modules/")) {
    folders.push(rest.slice(0, at));
    rest = rest.slice(0, Math.max(0, at - 1));
  }
  return folders;
}

if (import.meta.main) {
  const lock = JSON.parse(readFileSync(join(import.meta.dirname, "../../package-lock.json"), "utf8")) as Lock;
  const entries = Object.keys(lock.packages ?? {}).length;
  const missing = entries === 0 ? ["package-lock.json lists no package: run npm install"] : missingEntries(lock);
  for (const line of missing) process.stderr.write(`${line}, which has no entry in package-lock.json\n`);
  process.stdout.write(`${entries} locked packages, ${missing.length} missing\n`);
  process.exitCode = missing.length === 0 ? 0 : 1;
}
