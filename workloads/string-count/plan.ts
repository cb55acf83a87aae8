/** How a job is cut, from its parameters and the input's size alone. */
import type { SourceRange } from "kindling";
import type { ByteString } from "./bytes.ts";
import type { TupleRange, TupleSpec } from "./tuples.ts";

const TUPLES_PER_PARTITION = 2 ** 22;
/** Larger files have larger parts, up to a limit: of keys that come again and again fewer are left to merge. */
const LEAST_BYTES_PER_PARTITION = 2 ** 25;
const MOST_BYTES_PER_PARTITION = 2 ** 27;
const USUAL_PARTITIONS = 24;
/**
 * Of files with several buckets of keys: each part has most of them again, to be sorted and merged, so that one for each worker is best.
 * Where workers are not known, since nodes come and leave, more parts let all of them work, and less has to be done again.
 * With the most buckets most keys are new.
 */
const PARTITIONS_OF_KNOWN_KEYS = 8;
const MOST_BYTES_OF_KNOWN_KEYS = 2 ** 28;
const MOST_BYTES_FOR_KNOWN_WORKERS = 2 ** 30;
/** Where nothing is known of the workers, more partitions or buckets than this are a multiple of it. */
const EVEN = 4;
/** A merge task works on this many keys at most, as long as MAX_BUCKETS allows: its table then fits a cache. */
const KEYS_PER_BUCKET = 2 ** 16;
const MAX_BUCKETS = 64;
/** Where memory is short: more buckets than this would be too many chunks. */
const MOST_BUCKETS = 1024;
/** What a task needs at most, in bytes: for each byte of CSV that it counts, and for each key that it merges. */
const BYTES_FOR_A_BYTE = 32;
const BYTES_FOR_A_KEY = 256;
/** So many letters tell generated keys apart well enough to cut between them. */
const SPLITTER_LETTERS = 16;
const SPLITTER_BYTES = 64;

/** A file smaller than this has too few keys for several buckets. */
export const SAMPLE_FROM_BYTES = 2 ** 23;
/** Few and small: all workers wait for what they give. */
const SAMPLES = 8;
const SAMPLE_BYTES = 2 ** 13;
/** By how much a sample may show too few keys: the estimate is a lower bound, and far off where most keys are rare. */
const RARE_KEYS = 8;

/** [0, total) cut into `count` runs whose lengths differ by one at most. */
function cut(total: number, count: number): { start: number; length: number }[] {
  const base = Math.floor(total / count);
  const longer = total % count;
  return Array.from({ length: count }, (_, index) => ({
    start: index * base + Math.min(index, longer),
    length: base + (index < longer ? 1 : 0),
  }));
}

export const tupleRanges = (tuples: number, partitions: number | undefined): TupleRange[] =>
  cut(tuples, partitions ?? Math.ceil(tuples / TUPLES_PER_PARTITION)).map(({ start, length }) => ({
    start,
    count: length,
  }));

/** How many parts of generated tuples fit a task's memory; undefined where that is not given. */
export const tupleParts = (tuples: number, taskMemory: number | undefined): number | undefined =>
  taskMemory === undefined
    ? undefined
    : Math.ceil(tuples / Math.max(1, Math.min(TUPLES_PER_PARTITION, taskMemory / BYTES_FOR_A_KEY)));

/** The bytes [from, to) of a source in parts. */
export function byteRanges(source: number, from: number, to: number, partitions: number | undefined): SourceRange[] {
  return cut(to - from, partitions ?? partsOfBytes(to - from, {})).map(({ start, length }) => ({
    source,
    start: from + start,
    end: from + start + length,
  }));
}

/** Small ranges spread evenly over the bytes [from, to). */
export const sampleRanges = (source: number, from: number, to: number): SourceRange[] =>
  cut(to - from, SAMPLES).map(({ start, length }) => ({
    source,
    start: from + start,
    end: from + start + Math.min(length, SAMPLE_BYTES),
  }));

/** `count`, or if that is more than `slots` the next multiple of it: what so many slots, or a divisor of them, finish together. */
export const even = (count: number, slots = EVEN): number => (count < slots ? count : Math.ceil(count / slots) * slots);

/** What is known of who will count. */
interface Counters {
  /** How many workers there are. */
  readonly workers?: number | undefined;
  /** Bytes of memory that a task may use. */
  readonly taskMemory?: number | undefined;
}

/** How many parts of so many bytes, by the buckets of their keys. */
export function partsOfBytes(bytes: number, { workers, taskMemory }: Counters, buckets = 1): number {
  const hasKnownKeys = buckets > 1 && buckets < MAX_BUCKETS;
  const share = bytes / (hasKnownKeys ? (workers ?? PARTITIONS_OF_KNOWN_KEYS) : USUAL_PARTITIONS);
  const mostOfKnownKeys = workers === undefined ? MOST_BYTES_OF_KNOWN_KEYS : MOST_BYTES_FOR_KNOWN_WORKERS;
  const most = hasKnownKeys ? mostOfKnownKeys : MOST_BYTES_PER_PARTITION;
  const usual = Math.min(most, Math.max(LEAST_BYTES_PER_PARTITION, share));
  const each = Math.min(usual, (taskMemory ?? Number.POSITIVE_INFINITY) / BYTES_FOR_A_BYTE);
  return even(Math.max(1, Math.ceil(bytes / each)), hasKnownKeys ? workers : undefined);
}

function bucketsFor(keys: number, taskMemory: number | undefined): number {
  const needed = Math.ceil(keys / KEYS_PER_BUCKET);
  const cached = Math.min(MAX_BUCKETS, needed > 1 ? even(Math.max(EVEN, needed)) : 1);
  const fitting = taskMemory === undefined ? 1 : Math.ceil((keys * BYTES_FOR_A_KEY) / taskMemory);
  return Math.max(1, Math.min(MOST_BUCKETS, Math.max(cached, fitting)));
}

/** Keys that cut the generated ones, which are equally likely, into buckets. */
export function tupleSplitters(spec: TupleSpec, tuples: number, taskMemory?: number): ByteString[] {
  const letters = BigInt(spec.alphabet.length);
  const length = Math.min(spec.keyLength, SPLITTER_LETTERS);
  const keys = letters ** BigInt(length);
  const buckets = bucketsFor(Math.min(tuples, Number(keys)), taskMemory);
  return Array.from({ length: buckets - 1 }, (_, index) => {
    let rank = (keys * BigInt(index + 1)) / BigInt(buckets);
    let key = "";
    for (let at = 0; at < length; at++) {
      key = String.fromCharCode(spec.alphabet[Number(rank % letters)] as number) + key;
      rank /= letters;
    }
    return key;
  });
}

export interface KeySample {
  /** Distinct ones. */
  readonly keys: number;
  /** Tuples. */
  readonly drawn: number;
  /** Keys that occurred once, and twice. */
  readonly once: number;
  readonly twice: number;
  /** The key at a place from 0 on, in order. */
  keyAt(rank: number): ByteString;
}

/** Keys that cut a file's keys into buckets, from a sample. */
export function sampleSplitters(sample: KeySample, sampledShare: number, taskMemory?: number): ByteString[] {
  const { drawn, once, twice } = sample;
  if (drawn === 0) return [];
  // Good and Turing: the chance that the next key is a new one is the share of keys seen once; it never grows after that.
  const most = sample.keys + (drawn / sampledShare - drawn) * (once / drawn);
  // Chao: at least so many have not been seen.
  const least = sample.keys + (once * (once - 1)) / (2 * (twice + 1));
  const keys = Math.min(most, least * RARE_KEYS);
  const buckets = Math.min(bucketsFor(keys, taskMemory), sample.keys);
  const splitters = Array.from({ length: buckets - 1 }, (_, index) =>
    sample.keyAt(Math.floor(((index + 1) * sample.keys) / buckets)).slice(0, SPLITTER_BYTES),
  );
  return splitters.filter((splitter, index) => index === 0 || splitter > (splitters[index - 1] as ByteString));
}
