import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";

export interface CountsFile {
  readonly sha256: string;
  /** Lines without the header. */
  readonly keys: number;
  /** Of the numbers at the lines' ends. */
  readonly sum: number;
}

const NEWLINE = 10;
const ZERO = 48;
const MINUS = 45;

/** Reads a result file whose keys hold no line breaks and whose sums are below 2⁵³. */
export async function readCounts(file: string): Promise<CountsFile> {
  const hash = createHash("sha256");
  let lines = 0;
  let sum = 0;
  let number = 0;
  let sign = 1;
  for await (const data of createReadStream(file, { highWaterMark: 1 << 20 })) {
    const chunk = data as Buffer;
    hash.update(chunk);
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at] ?? 0;
      if (byte === NEWLINE) {
        // The header's line ends in no digit, so it adds nothing.
        sum += sign * number;
        lines++;
      }
      if (byte >= ZERO && byte < ZERO + 10) {
        number = number * 10 + (byte - ZERO);
      } else {
        number = 0;
        sign = byte === MINUS ? -1 : 1;
      }
    }
  }
  return { sha256: hash.digest("hex"), keys: lines - 1, sum };
}

/** One line that two equal results share. */
export const describeCounts = ({ sha256, keys, sum }: CountsFile): string => `${keys} keys, sum ${sum}, ${sha256}`;
