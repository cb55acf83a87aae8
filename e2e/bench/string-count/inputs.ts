import { closeSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { kindling } from "../../support/processes.ts";
import { folders, makeOnce } from "../folders.ts";
import type { Python } from "../../support/python.ts";
import { zipfCsv } from "./zipf.ts";

const FULL_SIZE = 100_000_000;
const ZIPF_WORDS = 1_000_000;
const SEED = 1;

export type InputName = "letters3" | "letters5" | "letters6" | "zipf" | "parquet3";

/** How many tuples the inputs have at a share of the full size. */
export const tuplesAt = (scale: number): number => Math.max(1, Math.round(FULL_SIZE * scale));

/** An input's file name under the data folder. */
export function inputName(input: InputName, tuples: number): string {
  return input === "parquet3" ? `letters3-${tuples}.parquet` : `${input}-${tuples}.csv`;
}

/** Makes the input unless it is there. */
export async function makeInput(
  input: InputName,
  tuples: number,
  python: Python,
  say: (line: string) => void,
): Promise<void> {
  const path = (name: InputName): string => join(folders.data, inputName(name, tuples));
  if (input === "parquet3") await makeInput("letters3", tuples, python, say);
  await makeOnce(path(input), say, async (partial) => {
    if (input === "parquet3") {
      await python.run(join(import.meta.dirname, "to_parquet.py"), { file: path("letters3"), out: partial });
    } else if (input === "zipf") {
      writeAll(partial, zipfCsv({ rows: tuples, words: ZIPF_WORDS, seed: SEED }));
    } else {
      const letters = input.slice("letters".length);
      const options = ["--tuples", String(tuples), "--key-length", letters, "--seed", String(SEED), "--out", partial];
      const { code, stderr } = await kindling(["data", "tuples", ...options]);
      if (code !== 0) throw new Error(`kindling data tuples failed: ${stderr.trim()}`);
    }
  });
}

function writeAll(file: string, chunks: Iterable<Uint8Array>): void {
  const target = openSync(file, "w");
  try {
    for (const chunk of chunks) {
      for (let at = 0; at < chunk.length; ) at += writeSync(target, chunk, at);
    }
  } finally {
    closeSync(target);
  }
}
