import { type Readable, type Writable } from "node:stream";
import { fromWireError, KindlingError, type WireError } from "../../shared/errors.ts";
import { encodeFrame, type Frame, frameReader } from "./frames.ts";

interface Waiting {
  resolve(reply: Frame): void;
  reject(error: unknown): void;
}

/** The driver's end of the pipes to the PySpark program: requests with replies, and what the program tells by itself. */
export class Link {
  readonly #output: Writable;
  readonly #waiting = new Map<number, Waiting>();
  readonly #told: (event: unknown) => void;
  #requests = 0;

  /** `told` takes the header of every frame that answers no request. */
  constructor(input: Readable, output: Writable, told: (event: unknown) => void) {
    this.#output = output;
    this.#told = told;
    this.#read(input).then(
      () => this.#end(new KindlingError("SparkGone", "The PySpark program has ended")),
      (error: unknown) => this.#end(error),
    );
  }

  /** Rejects with the error that the program answers. */
  request(header: Readonly<Record<string, unknown>>, blobs: readonly Uint8Array[] = []): Promise<Frame> {
    const id = this.#requests++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.tell({ ...header, id }, blobs);
    });
  }

  /** Says something that needs no answer. */
  tell(header: Readonly<Record<string, unknown>>, blobs: readonly Uint8Array[] = []): void {
    for (const part of encodeFrame(header, blobs)) this.#output.write(part);
  }

  /** Resolves when all that was said has left this process. */
  flushed(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#output.write(new Uint8Array(0), (error) => (error ? reject(error) : resolve()));
    });
  }

  async #read(input: Readable): Promise<void> {
    const bytes = new Bytes(input);
    for (;;) {
      const reader = frameReader();
      let step = reader.next(null);
      while (step.done !== true) step = reader.next(await bytes.take(step.value));
      if (step.value === null) return;
      this.#received(step.value);
    }
  }

  #received(frame: Frame): void {
    const { id, error } = frame.header as { readonly id?: number; readonly error?: WireError };
    const waiting = id === undefined ? undefined : this.#waiting.get(id);
    if (id === undefined || waiting === undefined) {
      this.#told(frame.header);
      return;
    }
    this.#waiting.delete(id);
    if (error === undefined) waiting.resolve(frame);
    else waiting.reject(fromWireError(error));
  }

  #end(error: unknown): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

/** A stream, read by numbers of bytes. */
class Bytes {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array(0);

  constructor(input: Readable) {
    this.#chunks = input[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  }

  /** The next `count` bytes; null where the stream has ended before the first of them. */
  async take(count: number): Promise<Uint8Array | null> {
    if (this.#rest.byteLength >= count) return this.#cut(count);
    const taken = new Uint8Array(count);
    let filled = 0;
    while (filled < count) {
      if (this.#rest.byteLength === 0) {
        const next = await this.#chunks.next();
        if (next.done === true) {
          if (filled === 0) return null;
          throw new Error("A pipe ended in the middle of a frame");
        }
        this.#rest = next.value;
      }
      const part = this.#cut(Math.min(count - filled, this.#rest.byteLength));
      taken.set(part, filled);
      filled += part.byteLength;
    }
    return taken;
  }

  #cut(count: number): Uint8Array {
    const part = this.#rest.subarray(0, count);
    this.#rest = this.#rest.subarray(count);
    return part;
  }
}
