import { mkdirSync, renameSync, rmSync } from "node:fs";
import { existsSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "../../.bench");

/** Where a benchmark keeps what it builds once. Everything below it may be deleted at any time. */
export const folders = {
  data: join(ROOT, "data"),
  out: join(ROOT, "out"),
  results: join(ROOT, "results"),
  spill: join(ROOT, "spill"),
  build: join(ROOT, "build"),
  python: (bench: string): string => join(ROOT, `python-${bench}`),
};

export function makeFolders(): void {
  for (const folder of [folders.data, folders.out, folders.results, folders.spill, folders.build]) {
    mkdirSync(folder, { recursive: true });
  }
}

/** Lets `make` write a file unless it is there; one that was broken off in the middle does not count. */
export async function makeOnce(
  file: string,
  say: (line: string) => void,
  make: (partial: string) => Promise<void> | void,
): Promise<void> {
  if (existsSync(file)) return;
  say(`making ${file}`);
  const partial = `${file}.partial`;
  rmSync(partial, { force: true, recursive: true });
  await make(partial);
  renameSync(partial, file);
}
