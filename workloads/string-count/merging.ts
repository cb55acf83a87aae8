/** What the driver and the merging kernels say to each other. */
import { InputError } from "kindling";
import { type ByteString, byteStringToText, quoted } from "./bytes.ts";
import type { Entry } from "./entries.ts";

export type MergePlan = {
  /** The result file's first line, in UTF-8. */
  readonly header: Uint8Array;
  /** How many of the keys with the greatest sums to report. */
  readonly top: number;
  /** Whose sums these are, for messages. */
  readonly subject: string;
};

export type MergeSummary = {
  readonly keys: number;
  readonly sum: bigint;
  /** The bucket's top keys; null if they are too long for a report. */
  readonly top: readonly Entry[] | null;
};

/** A report may have 16 KiB; a character of a byte string takes up to two bytes, and a sum up to 24. */
const TOP_BYTES = 12 * 1024;

export function topIfSmall(top: readonly Entry[]): readonly Entry[] | null {
  const bytes = top.reduce((total, entry) => total + 2 * entry.key.length + 32, 0);
  return bytes <= TOP_BYTES ? top : null;
}

/** The greatest sums first; among equals, the smaller key. */
export const byRank = (a: Entry, b: Entry): number =>
  a.sum !== b.sum ? (a.sum > b.sum ? -1 : 1) : a.key < b.key ? -1 : a.key > b.key ? 1 : 0;

export function overflowError(plan: MergePlan, key: ByteString): InputError {
  return new InputError(
    `${plan.subject}: the sum of key ${quoted(byteStringToText(key))} does not fit into a signed 64-bit integer; ` +
      "divide the values by a common factor, or count fewer rows at a time",
  );
}
