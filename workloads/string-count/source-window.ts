import type { ByteReader } from "kindling";
import { LF, MAX_RECORD_BYTES } from "./csv.ts";
import type { Reading } from "./reading.ts";

const READ_BYTES = 2 ** 16;

/** The part of a source that a reader of records looks at; it moves forward and grows as records need. */
export class SourceWindow {
  readonly size: number;
  private readonly reader: ByteReader;
  /** The bytes from `base` on; after the source's last byte a line end, if it has none. */
  private data = new Uint8Array(0);
  private base = 0;
  private hasEnd = false;

  constructor(reader: ByteReader) {
    this.reader = reader;
    this.size = reader.size;
  }

  /**
   * Gives what `find` finds at absolute position `at`, reading on while it finds nothing. Undefined when it still found nothing
   * in the longest record's bytes, or in all bytes up to the source's end.
   */
  *parse<T>(at: number, find: (data: Uint8Array, index: number) => T | undefined): Reading<T | undefined> {
    if (this.data.length === 0) this.base = at;
    for (;;) {
      const found = find(this.data, at - this.base);
      if (found !== undefined) return found;
      if (this.hasEnd || this.base + this.data.length - at >= MAX_RECORD_BYTES) return undefined;
      yield* this.extend(at);
    }
  }

  /** The position of an index into the bytes of the last `parse`; a line end that was added counts for nothing. */
  position(index: number): number {
    return Math.min(this.base + index, this.size);
  }

  /** Whether all bytes from `at` to the source's end have been seen. */
  isWhole(at: number): boolean {
    return this.hasEnd && this.base + this.data.length - at < MAX_RECORD_BYTES;
  }

  /** How many bytes the record at `at` has, or how many were searched for its end. */
  length(at: number, record: { readonly next: number } | undefined): number {
    if (record !== undefined) return this.base + record.next - at;
    return this.isWhole(at) ? 0 : MAX_RECORD_BYTES + 1;
  }

  /** Drops what lies before `from` and reads on. */
  private *extend(from: number): Reading<void> {
    const kept = this.data.subarray(from - this.base);
    // Doubling keeps the work of long records linear.
    const chunk = new Uint8Array(Math.max(READ_BYTES, kept.length));
    const position = from + kept.length;
    const got = position >= this.size ? 0 : yield this.reader.readInto(chunk, position);
    this.hasEnd = position + got >= this.size;
    const last = got > 0 ? chunk[got - 1] : kept.at(-1);
    const lineEnd = this.hasEnd && last !== undefined && last !== LF ? 1 : 0;
    const grown = new Uint8Array(kept.length + got + lineEnd);
    grown.set(kept);
    grown.set(chunk.subarray(0, got), kept.length);
    if (lineEnd === 1) grown[grown.length - 1] = LF;
    this.data = grown;
    this.base = from;
  }
}
