import { existsSync } from "node:fs";
import { glob } from "node:fs/promises";
import { isS3 } from "../../coordinator/index.ts";
import { InputError } from "../../shared/errors.ts";
import type { Value } from "../../shared/value.ts";
import { s3 } from "./s3.ts";
import type { SchemaOption } from "./schema-options.ts";

/** What stands for standard input. */
export const STANDARD_INPUT = "-";

export const isUrl = (file: string): boolean => /^[a-z][a-z0-9+.-]*:\/\//i.test(file);

/**
 * The files that a parameter names. Where it takes several, patterns such as `data/*.csv` are replaced by the files that match, sorted by
 * name, each once, in S3 too; a file that is called as the pattern is taken as it is. Rejects with `InputError` if none matches.
 */
export async function inputFiles(given: Value, isMultiple: boolean): Promise<Value> {
  if (!isMultiple) return given;
  const files = new Set<string>();
  for (const file of [given].flat() as string[]) {
    for (const found of await expand(file)) files.add(found);
  }
  const [only] = files;
  return files.size === 1 && only !== undefined ? only : [...files];
}

/** All files that a run's parameters name. */
export const filesOf = (params: Readonly<Record<string, Value>>, options: readonly SchemaOption[]): string[] =>
  options.flatMap(({ param, property }) =>
    property.kindling === "file" && params[param] !== undefined ? ([params[param]].flat() as string[]) : [],
  );

async function expand(file: string): Promise<string[]> {
  if (isS3(file) && /[*?[\]{}]/.test(file)) return s3.match(file);
  if (file === STANDARD_INPUT || isUrl(file) || !/[*?[\]{}]/.test(file) || existsSync(file)) return [file];
  const found: string[] = [];
  for await (const entry of glob(file, { withFileTypes: true })) {
    if (!entry.isDirectory()) found.push(`${entry.parentPath}/${entry.name}`);
  }
  if (found.length === 0) throw new InputError(`${file}: no file matches`);
  return found.sort((a, b) => (a < b ? -1 : 1));
}
