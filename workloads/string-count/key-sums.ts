import type { ByteString } from "./bytes.ts";
import { type Entry, encodeEntries } from "./entries.ts";

const fits = (sum: bigint): boolean => BigInt.asIntN(64, sum) === sum;

/**
 * Sums by key, in signed 64 bits. Where adding a value would overflow a key's running sum, that sum is set aside as
 * an entry of its own and the running sum starts again from the value: whether the total fits is known only when all
 * partitions are merged, and must not depend on where their borders are.
 */
export class KeySums {
  private readonly running = new Map<ByteString, bigint>();
  private readonly aside: Entry[] = [];

  add(key: ByteString, value: bigint): void {
    const before = this.running.get(key) ?? 0n;
    const sum = before + value;
    if (!fits(sum)) this.aside.push({ key, sum: before });
    this.running.set(key, fits(sum) ? sum : value);
  }

  /** Sorted by key; the entries of one key in the order in which they were set aside, the running sum last. */
  entries(): Entry[] {
    const running = Array.from(this.running, ([key, sum]): Entry => ({ key, sum }));
    return [...this.aside, ...running].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  }
}

/** Entries by bucket, encoded. Bucket b has the keys k with splitters[b − 1] ≤ k < splitters[b]. */
export function encodeBuckets(entries: readonly Entry[], splitters: readonly ByteString[]): Uint8Array[] {
  const buckets: Uint8Array[] = [];
  let from = 0;
  for (const splitter of splitters) {
    let to = from;
    while (to < entries.length && (entries[to] as Entry).key < splitter) to++;
    buckets.push(encodeEntries(entries.slice(from, to)));
    from = to;
  }
  buckets.push(encodeEntries(entries.slice(from)));
  return buckets;
}

/** Adds up the entries of each key over all partitions, exactly; gives each key once, sorted. */
export function mergeEntries(parts: readonly (readonly Entry[])[]): Entry[] {
  const sums = new Map<ByteString, bigint>();
  for (const { key, sum } of parts.flat()) sums.set(key, (sums.get(key) ?? 0n) + sum);
  return Array.from(sums, ([key, sum]): Entry => ({ key, sum })).sort((a, b) => (a.key < b.key ? -1 : 1));
}

export const overflows = (entry: Entry): boolean => !fits(entry.sum);
