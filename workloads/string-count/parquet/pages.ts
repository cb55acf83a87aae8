/** The pages of a column chunk, one after the other, decompressed: the same for both kernels. */
import { decompress as unzstd } from "fzstd";
import { deserializeTCompactProtocol } from "hyparquet/src/thrift.js";
import { type ByteReader, InputError } from "kindling";
import { quoted } from "../bytes.ts";
import type { Reading } from "../reading.ts";
import type { Codec, ColumnChunk } from "./plan.ts";

/** Memory that a kernel works in, by address. */
export interface Space {
  /** Memory that stays until the task ends; 64 bytes after it may be read and written. */
  take(bytes: number): number;
  /** The bytes [at, at + length) as they are now. */
  bytes(at: number, length: number): Uint8Array;
  /** Snappy from one place to another; false if the bytes are not what they should be. */
  unsnappy(from: number, length: number, to: number, size: number): boolean;
}

/** Kinds of data pages: the keys or values themselves, or their places in the dictionary. */
export const PAGE_KINDS = ["plain", "indexed"] as const;
export type PageKind = (typeof PAGE_KINDS)[number];

/** A page's bytes are [at, end). */
export type Page =
  | { readonly kind: "dictionary"; readonly at: number; readonly end: number; readonly count: number }
  | {
      readonly kind: PageKind;
      readonly at: number;
      readonly end: number;
      readonly rows: number;
      /** Definition levels; none where the column is required. */
      readonly levels: number;
      readonly levelsEnd: number;
    };

const DATA_PAGE = 0;
const DICTIONARY_PAGE = 2;
const DATA_PAGE_V2 = 3;
const ENCODINGS: Readonly<Record<number, PageKind>> = { 0: "plain", 2: "indexed", 8: "indexed" };
const ENCODING_NAMES: Readonly<Record<number, string>> = {
  3: "RLE",
  5: "DELTA_BINARY_PACKED",
  6: "DELTA_LENGTH_BYTE_ARRAY",
  7: "DELTA_BYTE_ARRAY",
  9: "BYTE_STREAM_SPLIT",
};

const WINDOW_BYTES = 2 ** 20;
/** A page's header is some 20 bytes; statistics may make it longer. */
const HEADER_BYTES = 2 ** 12;
const MAX_PAGE_BYTES = 2 ** 30;
const SLACK_BYTES = 64;

/** A place in memory that is made larger as needed. */
class Buffer {
  at = 0;
  capacity = 0;
  private readonly space: Space;

  constructor(space: Space) {
    this.space = space;
  }

  /** Room for so many bytes; what was there is lost. */
  room(bytes: number): number {
    if (bytes > this.capacity) {
      this.capacity = Math.max(bytes, Math.min(2 * this.capacity, MAX_PAGE_BYTES));
      this.at = this.space.take(this.capacity + SLACK_BYTES);
    }
    return this.at;
  }
}

/** Reads one column; each chunk's pages in turn. */
export class ColumnPages {
  private readonly space: Space;
  private readonly reader: ByteReader;
  private readonly column: string;
  private readonly isOptional: boolean;
  private chunk: ColumnChunk = { start: 0, end: 0, codec: "UNCOMPRESSED" };
  private group = 0;
  private hasDictionary = false;
  /** Where the next page's header begins in the file. */
  private position = 0;
  /** The file's bytes [base, base + held) lie at `window`. */
  private window: Buffer;
  private base = 0;
  private held = 0;
  private readonly dictionary: Buffer;
  private readonly data: Buffer;

  constructor(space: Space, reader: ByteReader, column: string, isOptional: boolean) {
    this.space = space;
    this.reader = reader;
    this.column = column;
    this.isOptional = isOptional;
    this.window = new Buffer(space);
    this.dictionary = new Buffer(space);
    this.data = new Buffer(space);
  }

  /** Goes to the chunk of row group `group`. */
  open(chunk: ColumnChunk, group: number): void {
    this.chunk = chunk;
    this.group = group;
    this.position = chunk.start;
    this.base = chunk.start;
    this.held = 0;
    this.hasDictionary = false;
  }

  /** The next page. A data page is there until the next one is read, a dictionary until the next chunk's. */
  *next(): Reading<Page> {
    for (;;) {
      if (this.position >= this.chunk.end) throw this.fault("it has fewer rows than its row group");
      const header = yield* this.readHeader();
      const { type, size, stored } = header;
      const at = yield* this.require(this.position, stored);
      this.position += stored;
      if (type === DICTIONARY_PAGE) {
        if (this.hasDictionary) throw this.fault("it has a second dictionary");
        this.hasDictionary = true;
        if (ENCODINGS[header.encoding] === undefined) throw this.unknownEncoding(header.encoding);
        const to = this.dictionary.room(size);
        yield* this.unpack(this.chunk.codec, at, stored, to, size);
        return { kind: "dictionary", at: to, end: to + size, count: header.count };
      }
      if (type === DATA_PAGE) {
        const from = yield* this.unpacked(at, stored, size);
        return this.dataPage(header, from, from + size);
      }
      if (type === DATA_PAGE_V2) {
        const { levelBytes } = header;
        if (levelBytes > Math.min(stored, size)) throw this.fault("a page is damaged");
        const isPlain = !header.isCompressed || stored === levelBytes;
        const from = isPlain
          ? at + levelBytes
          : yield* this.unpacked(at + levelBytes, stored - levelBytes, size - levelBytes);
        const end = from + (isPlain ? stored : size) - levelBytes;
        return { ...this.values(header, from, end), levels: at, levelsEnd: at + levelBytes };
      }
      // Pages of indices and of kinds to come hold no rows.
    }
  }

  /** An error that names file, row group and column. */
  fault(what: string): InputError {
    return new InputError(
      `${this.reader.name}: row group ${this.group + 1}, column ${quoted(this.column)}: ${what}; write the file again`,
    );
  }

  private unknownEncoding(encoding: number): InputError {
    const name = ENCODING_NAMES[encoding] ?? `encoding ${encoding}`;
    return this.fault(`its pages have the encoding ${name}; PLAIN and RLE_DICTIONARY can be read`);
  }

  /** A page of the first version: with levels in front, where the column may have nulls. */
  private dataPage(header: Header, at: number, end: number): Page {
    if (!this.isOptional) return { ...this.values(header, at, end), levels: at, levelsEnd: at };
    const length = end - at < 4 ? Number.NaN : uint32(this.space.bytes(at, 4));
    const levelsEnd = at + 4 + length;
    if (!(levelsEnd <= end)) throw this.fault("a page is damaged");
    return { ...this.values(header, levelsEnd, end), levels: at + 4, levelsEnd };
  }

  private values({ encoding, count }: Header, at: number, end: number) {
    const kind = ENCODINGS[encoding];
    if (kind !== "plain" && kind !== "indexed") throw this.unknownEncoding(encoding);
    return { kind, at, end, rows: count };
  }

  private *unpacked(at: number, length: number, size: number): Reading<number> {
    if (this.chunk.codec === "UNCOMPRESSED") {
      if (length !== size) throw this.fault("a page is damaged");
      return at;
    }
    const to = this.data.room(size);
    yield* this.unpack(this.chunk.codec, at, length, to, size);
    return to;
  }

  private *unpack(codec: Codec, from: number, length: number, to: number, size: number): Reading<void> {
    const { space } = this;
    let isRight = length === size;
    if (codec === "UNCOMPRESSED") {
      if (isRight) space.bytes(to, size).set(space.bytes(from, length));
    } else if (codec === "SNAPPY") isRight = space.unsnappy(from, length, to, size);
    else if (codec === "GZIP") isRight = (yield this.gunzip(from, length, to, size)) === size;
    else {
      try {
        const out = unzstd(space.bytes(from, length), new Uint8Array(size));
        isRight = out.length === size;
        if (isRight) space.bytes(to, size).set(out);
      } catch {
        isRight = false;
      }
    }
    if (!isRight) throw this.fault("a page is damaged: it does not decompress to the size that it should have");
  }

  /** Gives the number of bytes, −1 if it cannot be decompressed. */
  private async gunzip(from: number, length: number, to: number, size: number): Promise<number> {
    const source = new Blob([this.space.bytes(from, length) as Uint8Array<ArrayBuffer>]).stream();
    let written = 0;
    try {
      for await (const part of source.pipeThrough(new DecompressionStream("gzip"))) {
        if (written + part.length > size) return -1;
        this.space.bytes(to + written, part.length).set(part);
        written += part.length;
      }
    } catch {
      return -1;
    }
    return written;
  }

  private *readHeader(): Reading<Header> {
    for (let want = HEADER_BYTES; ; want *= 4) {
      const there = Math.min(want, this.chunk.end - this.position);
      const at = yield* this.require(this.position, there);
      const bytes = this.space.bytes(at, there);
      const reader = { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset: 0 };
      try {
        const header = headerOf(deserializeTCompactProtocol(reader));
        if (header !== undefined) {
          this.position += reader.offset;
          if (this.position + header.stored > this.chunk.end) throw this.fault("a page is damaged");
          return header;
        }
      } catch (error) {
        if (error instanceof InputError) throw error;
        if (there === want) continue;
      }
      throw this.fault("a page's header is damaged");
    }
  }

  /** The address of `bytes` bytes from `from` on, read if they are not there. */
  private *require(from: number, bytes: number): Reading<number> {
    const kept = this.base + this.held - from;
    if (from >= this.base && kept >= bytes) return this.window.at + from - this.base;
    const moved = from >= this.base && kept > 0 ? this.space.bytes(this.window.at + from - this.base, kept) : undefined;
    const rest = this.chunk.end - from;
    const want = Math.min(rest, Math.max(bytes, WINDOW_BYTES));
    const spare = moved === undefined || want <= this.window.capacity ? moved : moved.slice();
    const at = this.window.room(want);
    if (spare !== undefined) this.space.bytes(at, spare.length).set(spare);
    const there = spare?.length ?? 0;
    const got = yield this.reader.readInto(this.space.bytes(at + there, want - there), from + there);
    this.base = from;
    this.held = there + got;
    if (this.held < bytes) throw this.fault("the file ends within it");
    return at;
  }
}

interface Header {
  readonly type: number;
  /** Bytes decompressed, and as they are in the file. */
  readonly size: number;
  readonly stored: number;
  /** Rows, or entries of the dictionary. */
  readonly count: number;
  readonly encoding: number;
  readonly levelBytes: number;
  readonly isCompressed: boolean;
}

/** A PageHeader of parquet.thrift; undefined if it is none. */
function headerOf(fields: Readonly<Record<string, unknown>>): Header | undefined {
  const type = fields["field_1"];
  const own = fields[type === DICTIONARY_PAGE ? "field_7" : type === DATA_PAGE_V2 ? "field_8" : "field_5"] ?? {};
  const inner = own as Readonly<Record<string, unknown>>;
  const number = (value: unknown, most = MAX_PAGE_BYTES): number =>
    typeof value === "number" && value >= 0 && value <= most ? value : Number.NaN;
  const isV2 = type === DATA_PAGE_V2;
  const header: Header = {
    type: number(type),
    size: number(fields["field_2"]),
    stored: number(fields["field_3"]),
    count: type === 1 ? 0 : number(inner["field_1"]),
    encoding: type === 1 ? 0 : number(inner[isV2 ? "field_4" : "field_2"]),
    levelBytes: isV2 ? number(inner["field_5"]) : 0,
    isCompressed: isV2 ? inner["field_7"] !== false : true,
  };
  const numbers = [header.type, header.size, header.stored, header.count, header.encoding, header.levelBytes];
  // Repetition levels belong to nested columns alone.
  return numbers.some(Number.isNaN) || (isV2 && inner["field_6"] !== 0) ? undefined : header;
}

const uint32 = (bytes: Uint8Array): number => new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
