import type { Gpu } from "kindling";
import type { ByteString } from "../bytes.ts";
import { type Batch, RECORD_WORDS } from "./tally.ts";

/** Bytes of keys, and records, of one batch; a longer key has a batch of its own. */
const BATCH_BYTES = 2 ** 24;
const BATCH_RECORDS = 2 ** 20;

/** Records on their way to the GPU: keys one after the other, in batches. */
export class RecordList {
  readonly #full: { readonly bytes: Uint8Array; readonly records: Uint32Array }[] = [];
  #bytes = new Uint8Array(2 ** 16);
  #length = 0;
  #records = new Uint32Array(2 ** 12);
  #words = 0;

  add(key: ByteString, value: bigint): void {
    if (this.#length > 0 && this.#length + key.length > BATCH_BYTES) this.#close();
    if (this.#words === BATCH_RECORDS * RECORD_WORDS) this.#close();
    if (this.#length + key.length > this.#bytes.length) {
      this.#bytes = grown(this.#bytes, new Uint8Array(2 * (this.#length + key.length)));
    }
    if (this.#words === this.#records.length) this.#records = grown(this.#records, new Uint32Array(2 * this.#words));
    const low = Number(BigInt.asUintN(32, value));
    const high = Number(BigInt.asUintN(32, value >> 32n));
    this.#records.set([this.#length, key.length, low, high], this.#words);
    this.#words += RECORD_WORDS;
    for (let at = 0; at < key.length; at++) this.#bytes[this.#length++] = key.charCodeAt(at);
  }

  #close(): void {
    this.#full.push({ bytes: this.#bytes.slice(0, this.#length), records: this.#records.slice(0, this.#words) });
    this.#length = 0;
    this.#words = 0;
  }

  /** Each in GPU memory while it is the last one given. */
  *batches(gpu: Gpu): Generator<Batch> {
    this.#close();
    for (const { bytes, records: list } of this.#full) {
      // A word of zeros behind the last: the GPU reads ahead.
      const text = gpu.buffer(grown(bytes, new Uint8Array(bytes.length + 8)));
      const records = gpu.buffer(list);
      yield { text, records, count: list.length / RECORD_WORDS, bytes: () => bytes };
      gpu.free(text, records);
    }
  }
}

function grown<T extends Uint8Array | Uint32Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
