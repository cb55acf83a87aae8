import { readRleBitPackedHybrid } from "hyparquet/src/encoding.js";
import { snappyUncompress } from "hyparquet/src/snappy.js";
import type { TaskContext } from "kindling";
import { type ByteString, isUtf8, toByteString } from "../bytes.ts";
import { detailOf } from "../count-js.ts";
import { MAX_RECORD_BYTES } from "../csv.ts";
import { encodeBuckets, KeySums } from "../key-sums.ts";
import type { Reading } from "../reading.ts";
import { ColumnPages, type Page, type Space } from "./pages.ts";
import type { ParquetPart, ParquetPlan, ValueType } from "./plan.ts";
import type { BadParquetRow, ParquetProblem, ParquetSummary } from "./problems.ts";

/** A key of a dictionary with its sum in this row group; plain keys have none of their own. */
interface Key {
  readonly text: ByteString;
  readonly problem: ParquetProblem | null;
  /** Undefined until the key is seen; always for plain keys. */
  sum: bigint | undefined;
}

/** The reference kernel for row groups of a Parquet file, on hyparquet's decoders. */
export function* countParquetJs(
  part: ParquetPart,
  context: TaskContext<ParquetPlan, ParquetSummary>,
): Reading<readonly Uint8Array[]> {
  const plan = context.broadcast;
  const space = new ArraySpace();
  const reader = context.open(part.source);
  const keyPages = new ColumnPages(space, reader, plan.key, plan.keyIsOptional);
  const valuePages = new ColumnPages(space, reader, plan.value, plan.valueIsOptional);
  const sums = new KeySums();
  let rows = 0;
  let tuples = 0;
  let skipped = 0;
  let bad: BadParquetRow | null = null;
  for (const group of part.groups) {
    keyPages.open(group.key, group.index);
    valuePages.open(group.value, group.index);
    const keys = new Column(space, keyPages, (bytes, count) => plainKeys(bytes, count));
    const values = new Column(space, valuePages, (bytes, count) => plainValues(bytes, count, plan.valueType));
    for (let row = 0; row < Math.min(group.rows, part.most) && bad === null; row++) {
      const key = keys.take() ?? (yield* keys.takeNext());
      const value = values.take() ?? (yield* values.takeNext());
      const problem = key.item === null ? "null" : key.item.problem;
      if (key.item === null || problem !== null || value.item === null) {
        if (plan.skipBadRows || plan.isSample) skipped++;
        else {
          const column = problem === null ? "value" : "key";
          const detail = problem === null || key.item === null ? "" : detailOf(key.item.text.slice(0, 1024));
          bad = { problem: problem ?? "null", row: rows, column, detail };
          break;
        }
      } else {
        add(sums, key.item, key.isIndexed, plan.isSample ? 1n : value.item);
        tuples++;
      }
      rows++;
    }
    if (bad !== null) break;
    for (const { text, sum } of keys.dictionary) if (sum !== undefined) sums.add(text, sum);
  }
  context.progress(tuples);
  context.report({ rows, tuples, skipped, bad });
  return encodeBuckets(bad === null ? sums.entries() : [], plan.splitters);
}

/** A dictionary's keys are summed for themselves, row group by row group: it decides which sums overflow on the way. */
function add(sums: KeySums, key: Key, isIndexed: boolean, value: bigint): void {
  if (!isIndexed) {
    sums.add(key.text, value);
    return;
  }
  const before = key.sum ?? 0n;
  const sum = before + value;
  const fits = BigInt.asIntN(64, sum) === sum;
  if (!fits) sums.add(key.text, before);
  key.sum = fits ? sum : value;
}

/** The items of a column chunk, row by row. */
class Column<T> {
  dictionary: readonly T[] = [];
  private readonly space: ArraySpace;
  private readonly pages: ColumnPages;
  private readonly decode: (bytes: Uint8Array, count: number) => T[];
  private items: readonly (T | null)[] = [];
  private isIndexed = false;
  private at = 0;

  constructor(space: ArraySpace, pages: ColumnPages, decode: (bytes: Uint8Array, count: number) => T[]) {
    this.space = space;
    this.pages = pages;
    this.decode = decode;
  }

  /** The next row's item (null for null), undefined where the page has no more. */
  take(): { readonly item: T | null; readonly isIndexed: boolean } | undefined {
    const item = this.items[this.at++];
    return item === undefined ? undefined : { item, isIndexed: this.isIndexed };
  }

  *takeNext(): Reading<{ readonly item: T | null; readonly isIndexed: boolean }> {
    for (;;) {
      const page = yield* this.pages.next();
      try {
        this.load(page);
      } catch {
        throw this.pages.fault("a page is damaged");
      }
      const taken = this.take();
      if (taken !== undefined) return taken;
    }
  }

  private load(page: Page): void {
    const bytes = this.space.bytes(page.at, page.end - page.at);
    if (page.kind === "dictionary") {
      this.dictionary = this.decode(bytes, page.count);
      return;
    }
    const levels = this.space.bytes(page.levels, page.levelsEnd - page.levels);
    const present = levels.length === 0 ? new Uint32Array(page.rows).fill(1) : runs(levels, 1, page.rows);
    const count = present.reduce((sum, level) => sum + level, 0);
    this.isIndexed = page.kind === "indexed";
    const there = this.isIndexed ? this.lookUp(bytes, count) : this.decode(bytes, count);
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

function plainKeys(bytes: Uint8Array, count: number): Key[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  return Array.from({ length: count }, () => {
    const length = view.getUint32(at, true);
    const start = at + 4;
    at = start + length;
    if (at > bytes.length) throw new RangeError("a key ends behind its page");
    const text = toByteString(bytes.subarray(start, at));
    return { text, problem: problemOf(text), sum: undefined };
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
