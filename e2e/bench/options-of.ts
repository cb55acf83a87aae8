import type { Value } from "../../shared/value.ts";

/** A job's parameters as options of the command line: `{ keyLength: 3 }` as `--key-length 3`. */
export const optionsOf = (params: Readonly<Record<string, Value>>): string[] =>
  Object.entries(params).flatMap(([name, value]) => [
    `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
    String(value),
  ]);
