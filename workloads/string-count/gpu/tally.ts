import { type Gpu, type GpuBuffer, gpuUnsuited } from "kindling";
import { type ByteString, toByteString } from "../bytes.ts";
import type { Entry } from "../entries.ts";
import { KeySums } from "../key-sums.ts";
import gather from "./gather.wgsl";
import sum from "./sum.wgsl";
import text from "./text.wgsl";

/** Invocations in a workgroup, in every module. */
export const GROUP = 256;
/** Words of a record in GPU memory: where its key lies (bytes), the key's length, the value's lower and upper word. */
export const RECORD_WORDS = 4;
/** Words that gather.wgsl writes for a key. */
const FOUND_WORDS = 5;
/** Records without a slot that are handed back; more than these, and the table is of no use. */
const LEFT_RECORDS = 4096;
/** 2⁶³ in units of 2⁴⁰: no sum of so many units or more is known to fit. */
const SIZE_LIMIT = 2 ** 23;
/** So many values below 2³² are one unit. */
const SMALL_PER_UNIT = 2 ** 8;

interface Total {
  sum: bigint;
  /** Bound of the sum of |value|, in units of 2⁴⁰, without small values. */
  size: number;
}

/** How the table is searched, for tests that want it to fail. */
export type TableOptions = { readonly reach?: number; readonly hash_mask?: number };

/** Some records in GPU memory, and where their keys' bytes can be read. */
export interface Batch {
  readonly records: GpuBuffer;
  readonly count: number;
  readonly text: GpuBuffer;
  /** The text's bytes; asked for once, after the sums are there. */
  bytes(): Uint8Array | Promise<Uint8Array>;
}

/**
 * Sums by key over batches of records, exactly. The GPU does the work of each record, this thread that of each distinct key. A
 * key whose running sum may leave 64 bits on the way is counted again, in order, by `again`: what KeySums sets aside
 * depends on the order.
 */
export class Tally {
  readonly #gpu: Gpu;
  readonly #options: TableOptions;
  readonly #totals = new Map<ByteString, Total>();
  #records = 0;

  constructor(gpu: Gpu, options: TableOptions = {}) {
    this.#gpu = gpu;
    this.#options = options;
  }

  async add({ records, count, text: letters, bytes }: Batch): Promise<void> {
    if (count === 0) return;
    const gpu = this.#gpu;
    this.#records += count;
    // At most half full.
    const slots = gpu.buffer(1 << (32 - Math.clz32(2 * count - 1)));
    const sums = gpu.buffer(3 * count);
    const outcome = gpu.buffer(4 + LEFT_RECORDS * RECORD_WORDS);
    const program = await gpu.program("string-count/sum", text + sum, this.#options);
    gpu.run([{ program, buffers: [letters, records, slots, sums, outcome], groups: Math.ceil(count / GROUP) }]);
    const words = await gpu.read(outcome);
    const [keys = 0, left = 0, huge = 0] = words;
    if (left > LEFT_RECORDS || huge !== 0) {
      throw gpuUnsuited(huge === 0 ? `${left} records found no place in the table` : "values are too large");
    }
    const found = gpu.buffer(keys * FOUND_WORDS);
    const listing = {
      program: await gpu.program("string-count/gather", gather),
      groups: Math.ceil(slots.words / GROUP),
    };
    gpu.run([{ ...listing, buffers: [slots, records, sums, gpu.buffer(1), found] }]);
    const list = await gpu.read(found, keys * FOUND_WORDS);
    const source = await bytes();
    gpu.free(slots, sums, outcome, found);
    const at = (words: Uint32Array, index: number): number => words[index] as number;
    for (let index = 0; index < list.length; index += FOUND_WORDS) {
      const key = keyAt(source, at(list, index), at(list, index + 1));
      this.#count(key, signed(at(list, index + 2), at(list, index + 3)), at(list, index + 4));
    }
    for (let index = 4; index < 4 + left * RECORD_WORDS; index += RECORD_WORDS) {
      const value = signed(at(words, index + 2), at(words, index + 3));
      this.#count(keyAt(source, at(words, index), at(words, index + 1)), value, sizeOf(value));
    }
  }

  #count(key: ByteString, sum: bigint, size: number): void {
    const total = this.#totals.get(key);
    if (total === undefined) this.#totals.set(key, { sum, size });
    else {
      total.sum = BigInt.asIntN(64, total.sum + sum);
      total.size += size;
    }
  }

  /** As KeySums' entries; `again` calls back with each record of the input in order. */
  async entries(
    again: (visit: (key: ByteString, value: bigint) => void) => void | Promise<void>,
  ): Promise<readonly Entry[]> {
    const limit = SIZE_LIMIT - Math.ceil(this.#records / SMALL_PER_UNIT);
    const entries: Entry[] = [];
    const risky = new Set<ByteString>();
    for (const [key, { sum, size }] of this.#totals) {
      if (size < limit) entries.push({ key, sum });
      else risky.add(key);
    }
    if (risky.size > 0) {
      const sums = new KeySums();
      await again((key, value) => {
        if (risky.has(key)) sums.add(key, value);
      });
      entries.push(...sums.entries());
    }
    return entries.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  }
}

const keyAt = (bytes: Uint8Array, at: number, length: number): ByteString =>
  toByteString(bytes.subarray(at, at + length));

const signed = (low: number, high: number): bigint => BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low));

/** As sum.wgsl adds it. */
function sizeOf(value: bigint): number {
  const upper = Number((value < 0n ? -value : value) >> 32n);
  return upper === 0 ? 0 : Math.floor(upper / SMALL_PER_UNIT) + 1;
}
