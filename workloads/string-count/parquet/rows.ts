/** The rows of a Parquet file, one by one, on hyparquet's decoders. */
import { readRleBitPackedHybrid } from "hyparquet/src/encoding.js";
import { snappyUncompress } from "hyparquet/src/snappy.js";
import type { TaskContext } from "kindling";
import { type ByteString, isUtf8, toByteString } from "../bytes.ts";
import { detailOf } from "../count-js.ts";
import { MAX_RECORD_BYTES } from "../csv.ts";
import type { Reading } from "../reading.ts";
import { ColumnPages, type Page, type Space } from "./pages.ts";
import type { ParquetPart, ParquetPlan, ValueType } from "./plan.ts";
import type { BadParquetRow, ParquetProblem, ParquetSummary } from "./problems.ts";

/** A key as it is stored. */
export interface StoredKey {
  readonly text: ByteString;
  readonly problem: ParquetProblem | null;
  /** Whether it is of its row group's dictionary: all rows that have it share this object. */
  readonly isShared: boolean;
}

export interface RowVisitor {
  row(key: StoredKey, value: bigint): void;
  /** All rows of a row group were visited; its dictionary's keys, of which some may be in no row. */
  endGroup(dictionary: readonly StoredKey[]): void;
}

/** Visits the good rows of a part, in order; gives what is to be reported. */
export function* eachRow(
  part: ParquetPart,
  context: Pick<TaskContext<ParquetPlan>, "broadcast" | "open">,
  visitor: RowVisitor,
): Reading<ParquetSummary> {
  const plan = context.broadcast;
  const space = new ArraySpace();
  const reader = context.open(part.source);
  const keyPages = new ColumnPages(space, reader, plan.key, plan.keyIsOptional);
  const valuePages = new ColumnPages(space, reader, plan.value, plan.valueIsOptional);
  let rows = 0;
  let tuples = 0;
  let skipped = 0;
  for (const group of part.groups) {
    keyPages.open(group.key, group.index);
    valuePages.open(group.value, group.index);
    const keys = new Column(space, keyPages, plainKeys);
    const values = new Column(space, valuePages, (bytes, count) => plainValues(bytes, count, plan.valueType));
    for (let row = 0; row < Math.min(group.rows, part.most); row++, rows++) {
      const key = yield* keys.take();
      const value = yield* values.take();
      if (key !== null && key.problem === null && value !== null) {
        visitor.row(key, plan.isSample ? 1n : value);
        tuples++;
      } else if (plan.skipBadRows || plan.isSample) skipped++;
      else return { rows, tuples, skipped, bad: badRow(key, rows) };
    }
    visitor.endGroup(keys.dictionary);
  }
  return { rows, tuples, skipped, bad: null };
}

function badRow(key: StoredKey | null, row: number): BadParquetRow {
  if (key === null) return { problem: "null", row, column: "key", detail: "" };
  if (key.problem === null) return { problem: "null", row, column: "value", detail: "" };
  return { problem: key.problem, row, column: "key", detail: detailOf(key.text.slice(0, 1024)) };
}

type Decode<T> = (bytes: Uint8Array, count: number, isDictionary: boolean) => T[];

/** The items of a column chunk, row by row. */
class Column<T> {
  dictionary: readonly T[] = [];
  private readonly space: ArraySpace;
  private readonly pages: ColumnPages;
  private readonly decode: Decode<T>;
  private items: readonly (T | null)[] = [];
  private at = 0;

  constructor(space: ArraySpace, pages: ColumnPages, decode: Decode<T>) {
    this.space = space;
    this.pages = pages;
    this.decode = decode;
  }

  /** The next row's item. */
  *take(): Reading<T | null> {
    while (this.at === this.items.length) {
      const page = yield* this.pages.next();
      try {
        this.load(page);
      } catch {
        throw this.pages.fault("a page is damaged");
      }
    }
    return this.items[this.at++] as T | null;
  }

  private load(page: Page): void {
    const bytes = this.space.bytes(page.at, page.end - page.at);
    if (page.kind === "dictionary") {
      this.dictionary = this.decode(bytes, page.count, true);
      return;
    }
    const levels = this.space.bytes(page.levels, page.levelsEnd - page.levels);
    const present = levels.length === 0 ? new Uint32Array(page.rows).fill(1) : runs(levels, 1, page.rows);
    const count = present.reduce((sum, level) => sum + level, 0);
    const there = page.kind === "indexed" ? this.lookUp(bytes, count) : this.decode(bytes, count, false);
    let next = 0;
    this.items = Array.from(present, (level) => (level === 0 ? null : (there[next++] as T)));
    this.at = 0;
  }

  private lookUp(bytes: Uint8Array, count: number): T[] {
    if (count === 0) return [];
    const [width = 0] = bytes;
    if (width > 32) throw new RangeError("indices of more than 32 bits");
    return Array.from(runs(bytes.subarray(1), width, count), (index) => {
      const item = this.dictionary[index];
      if (item === undefined) throw new RangeError(`no dictionary entry ${index}`);
      return item;
    });
  }
}

function runs(bytes: Uint8Array, width: number, count: number): Uint32Array {
  const output = new Uint32Array(count);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // hyparquet's declared type lists no Uint32Array as output, but only sets elements.
  readRleBitPackedHybrid({ view, offset: 0 }, width, output as unknown as Int32Array, bytes.byteLength);
  return output;
}

function plainKeys(bytes: Uint8Array, count: number, isShared: boolean): StoredKey[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  return Array.from({ length: count }, () => {
    const length = view.getUint32(at, true);
    const start = at + 4;
    at = start + length;
    if (at > bytes.length) throw new RangeError("a key ends behind its page");
    const text = toByteString(bytes.subarray(start, at));
    return { text, problem: problemOf(text), isShared };
  });
}

function problemOf(key: ByteString): ParquetProblem | null {
  if (key.length > MAX_RECORD_BYTES) return "tooLong";
  if (key.includes("\0")) return "nul";
  return isUtf8(key) ? null : "encoding";
}

function plainValues(bytes: Uint8Array, count: number, type: ValueType): bigint[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: count }, (_, index) => {
    if (type === "INT64") return view.getBigInt64(index * 8, true);
    return BigInt(type === "UINT32" ? view.getUint32(index * 4, true) : view.getInt32(index * 4, true));
  });
}

/** Memory for the page reader: one array that grows. */
class ArraySpace implements Space {
  private memory = new Uint8Array(2 ** 16);
  private used = 0;

  take(bytes: number): number {
    const at = this.used;
    this.used += bytes;
    if (this.used > this.memory.length) {
      const grown = new Uint8Array(2 * this.used);
      grown.set(this.memory);
      this.memory = grown;
    }
    return at;
  }

  bytes(at: number, length: number): Uint8Array {
    return this.memory.subarray(at, at + length);
  }

  unsnappy(from: number, length: number, to: number, size: number): boolean {
    try {
      snappyUncompress(this.bytes(from, length), this.bytes(to, size));
      return true;
    } catch {
      return false;
    }
  }
}
