/** What the driver and the kernels say to each other about a Parquet file. */
import type { SourceRange } from "kindling";
import type { ByteString } from "../bytes.ts";
import { even } from "../plan.ts";

/** The codecs that can be read; the first needs no work. */
export const CODECS = ["UNCOMPRESSED", "SNAPPY", "GZIP", "ZSTD"] as const;
export type Codec = (typeof CODECS)[number];

/** How values are stored. The WASM kernel names a type by its place here. */
export const VALUE_TYPES = ["INT32", "UINT32", "INT64"] as const;
export type ValueType = (typeof VALUE_TYPES)[number];

/** One column of one row group: the bytes [start, end) of the file. */
export type ColumnChunk = {
  readonly start: number;
  readonly end: number;
  readonly codec: Codec;
};

export type RowGroup = {
  /** From 0, in the file. */
  readonly index: number;
  readonly rows: number;
  readonly key: ColumnChunk;
  readonly value: ColumnChunk;
};

/** What a footer says. */
export type ParquetFile = {
  readonly valueType: ValueType;
  /** Whether the columns may have nulls: their pages then begin with levels. */
  readonly keyIsOptional: boolean;
  readonly valueIsOptional: boolean;
  /** See packGroups. */
  readonly groups: Float64Array;
};

/** Of a packed row group: its place and rows, then where each of its chunks begins and ends, and its codec. */
const PACKED_NUMBERS = 8;

/** Row groups as numbers: those of a file of a hundred million rows then travel with the result that has them. */
export const packGroups = (groups: readonly RowGroup[]): Float64Array =>
  Float64Array.from(groups.flatMap(({ index, rows, key, value }) => [index, rows, ...packed(key), ...packed(value)]));

const packed = ({ start, end, codec }: ColumnChunk): number[] => [start, end, CODECS.indexOf(codec)];

export const unpackGroups = (numbers: Float64Array): RowGroup[] =>
  Array.from({ length: numbers.length / PACKED_NUMBERS }, (_, group) => {
    const of = numbers.subarray(group * PACKED_NUMBERS);
    const chunk = (at: number): ColumnChunk => ({
      start: of[at] as number,
      end: of[at + 1] as number,
      codec: CODECS[of[at + 2] as number] as Codec,
    });
    return { index: of[0] as number, rows: of[1] as number, key: chunk(2), value: chunk(5) };
  });

/** Consecutive row groups of a file. */
export type ParquetPart = {
  readonly source: number;
  readonly groups: readonly RowGroup[];
  /** Where their bytes lie, if most of those are read: what to fetch ahead. */
  readonly range: SourceRange | null;
  /** No more rows than this are read of each group. */
  readonly most: number;
};

export type ParquetPlan = {
  readonly valueType: ValueType;
  readonly keyIsOptional: boolean;
  readonly valueIsOptional: boolean;
  /** The columns' names, for messages. */
  readonly key: string;
  readonly value: string;
  readonly skipBadRows: boolean;
  /** Every value counts as 1 and bad rows are passed over. */
  readonly isSample: boolean;
  readonly splitters: readonly ByteString[];
};

/** So many bytes of the two columns make a task, more of a large file; as they are compressed, they are some five times as much as CSV. */
const LEAST_BYTES_PER_PART = 2 ** 23;
const MOST_BYTES_PER_PART = 2 ** 24;
const USUAL_PARTS = 24;
/** What a task needs at most for each byte of the two columns, in bytes. */
const BYTES_FOR_A_BYTE = 64;
/** Few and small: the driver reads what they give, while all workers wait. */
const SAMPLED_GROUPS = 8;
const SAMPLED_ROWS = 2 ** 14;
/** A row group of no more bytes is fetched as a whole for its sample: as fast as a few pages, one by one. */
const SAMPLED_WHOLE = 2 ** 20;
/** A range is fetched ahead if at least this share of it is read. */
const DENSE = 0.5;

const bytesOf = ({ key, value }: RowGroup): number => key.end - key.start + value.end - value.start;

/** The groups in parts of about equal size, as many as `partitions` says where there are so many groups. */
export function parquetParts(
  source: number,
  groups: readonly RowGroup[],
  partitions: number | undefined,
  taskMemory: number | undefined,
): ParquetPart[] {
  const total = groups.reduce((sum, group) => sum + bytesOf(group), 0);
  const usual = Math.min(MOST_BYTES_PER_PART, Math.max(LEAST_BYTES_PER_PART, total / USUAL_PARTS));
  const bytesPerPart = Math.min(usual, (taskMemory ?? Number.POSITIVE_INFINITY) / BYTES_FOR_A_BYTE);
  const parts = Math.max(1, Math.min(groups.length, partitions ?? even(Math.ceil(total / bytesPerPart))));
  const cut: RowGroup[][] = Array.from({ length: parts }, () => []);
  let before = 0;
  for (const group of groups) {
    const part = total === 0 ? 0 : Math.min(parts - 1, Math.floor((before * parts) / total));
    cut[part]?.push(group);
    before += bytesOf(group);
  }
  return cut
    .filter((some) => some.length > 0 || groups.length === 0)
    .map((some) => ({ source, groups: some, range: rangeOf(source, some), most: Number.MAX_SAFE_INTEGER }));
}

/** A few rows of groups spread over the file, to see how many keys there may be. */
export function sampledParts(source: number, groups: readonly RowGroup[]): ParquetPart[] {
  const count = Math.min(SAMPLED_GROUPS, groups.length);
  const most = Math.ceil(SAMPLED_ROWS / Math.max(1, count));
  return Array.from({ length: count }, (_, index) => {
    const at = Math.floor((index * groups.length) / count);
    const some = groups.slice(at, at + 1);
    const isSmall = some.every((group) => bytesOf(group) <= SAMPLED_WHOLE);
    return { source, groups: some, range: isSmall ? rangeOf(source, some) : null, most };
  });
}

export const sampledRows = (parts: readonly ParquetPart[]): number =>
  parts.reduce(
    (total, { groups, most }) => total + groups.reduce((rows, group) => rows + Math.min(group.rows, most), 0),
    0,
  );

function rangeOf(source: number, groups: readonly RowGroup[]): SourceRange | null {
  if (groups.length === 0) return null;
  const chunks = groups.flatMap(({ key, value }) => [key, value]);
  const start = Math.min(...chunks.map((chunk) => chunk.start));
  const end = Math.max(...chunks.map((chunk) => chunk.end));
  const read = groups.reduce((sum, group) => sum + bytesOf(group), 0);
  return read >= (end - start) * DENSE ? { source, start, end } : null;
}
