import type { ByteReader } from "kindling";
import { LF, MAX_RECORD_BYTES } from "./csv.ts";
import type { Kernel } from "./kernel.ts";
import type { Reading } from "./reading.ts";

/** Small enough that what was read is still in the core's cache when it is scanned. */
const READ_BYTES = 2 ** 18;
/** What is read beyond a part's end, for its last record: together with the part's last bytes, so that it costs no request of its own. */
export const TAIL_BYTES = 2 ** 16;
/** The kernel reads past the end, and a line end may be added. */
const SLACK_BYTES = 128;

/** The part of a source that lies in the kernel's memory: whole chunks, and before them the record that a chunk cut. */
export class CsvBuffer {
  /** Where in the source the next record begins, or what is searched for one. */
  position: number;
  private readonly kernel: Kernel;
  private readonly reader: ByteReader;
  private address: number;
  private capacity = 2 * READ_BYTES;
  /** Bytes of the source from `position` on that are there, at `address` + `offset`. */
  private length = 0;
  private offset = 0;
  private isFinal = false;
  private readonly limit: number;

  /** For the records that begin from `position` on and before `limit`. */
  constructor(kernel: Kernel, reader: ByteReader, position: number, limit: number) {
    this.kernel = kernel;
    this.reader = reader;
    this.position = position;
    this.limit = limit;
    this.address = kernel.calls.take(this.capacity + SLACK_BYTES);
  }

  /** Reads on until a record begins after `position`, and moves there; −1 if none does within reach. */
  *skipToRecord(): Reading<number> {
    for (;;) {
      yield* this.read();
      const from = this.address + this.offset;
      const found = this.kernel.calls.skipToRecord(from, from + this.length);
      if (found !== 0 && found - from > MAX_RECORD_BYTES) return -1;
      if (found !== 0) {
        this.moveTo(found);
        return this.position;
      }
      if (this.length >= MAX_RECORD_BYTES) return -1;
      if (this.isFinal) {
        this.position = this.reader.size;
        return this.position;
      }
    }
  }

  /** Reads one more chunk behind what is there, unless the source's end has been reached. */
  *read(): Reading<void> {
    if (this.isFinal) return;
    this.makeRoom();
    const end = this.address + this.length;
    const start = this.position + this.length;
    const left = Math.max(0, this.limit - start);
    const step = left > READ_BYTES ? READ_BYTES : left + TAIL_BYTES;
    const want = Math.min(this.capacity - this.length, Math.max(step, this.length), this.reader.size - start);
    const got = want <= 0 ? 0 : yield this.reader.readInto(this.kernel.bytes(end, want), start);
    this.length += got;
    this.isFinal = start + got >= this.reader.size;
    if (!this.isFinal || this.length === 0) return;
    const tail = this.kernel.bytes(this.address + this.length - 1, 2);
    if (tail[0] !== LF) {
      tail[1] = LF;
      this.length++;
    }
  }

  /** Counts the records that begin before the limit and are whole. */
  scan(): void {
    if (this.length === 0) return;
    const from = this.address + this.offset;
    const end = from + this.length;
    const until = from + Math.min(this.limit - this.position, this.length);
    this.moveTo(this.kernel.calls.scanRecords(from, end, until, this.isFinal));
  }

  private moveTo(address: number): void {
    const passed = address - this.address - this.offset;
    this.offset += passed;
    this.length -= passed;
    this.position = Math.min(this.position + passed, this.reader.size);
  }

  /** Moves what is there to the front; into a larger place if it fills half of this one. */
  private makeRoom(): void {
    let to = this.address;
    if (this.length > this.capacity / 2) {
      this.capacity *= 2;
      to = this.kernel.calls.take(this.capacity + SLACK_BYTES);
    }
    const whole = new Uint8Array(this.kernel.calls.memory.buffer);
    const from = this.address + this.offset;
    whole.copyWithin(to, from, from + this.length);
    this.address = to;
    this.offset = 0;
  }
}
