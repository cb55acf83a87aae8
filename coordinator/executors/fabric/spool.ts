import { createHash, randomUUID } from "node:crypto";
import { type FileHandle, mkdir, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { InputError } from "../../../shared/errors.ts";
import { fileRange } from "../../store/file-range.ts";

/** Bytes that one input may have when it is unpacked; a bomb must not fill the disk. */
const MAX_SPOOLED_BYTES = 2 ** 38;

/** A stream that was written to a file, so that ranges of it can be read. */
export interface Spooled {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
  read(start: number, end: number): AsyncIterable<Uint8Array>;
  /** Deletes the file. */
  close(): Promise<void>;
}

/** Where inputs lie that cannot be read in parts as they are. */
export class Spool {
  readonly #folder: string;
  readonly #limit: number;

  /** The folder is made when it is needed. */
  constructor(folder: string, limit = MAX_SPOOLED_BYTES) {
    this.#folder = folder;
    this.#limit = limit;
  }

  /** Writes all of `content`, unpacked if it is gzip. Rejects with `InputError` naming the input; nothing then stays behind. */
  async take(name: string, content: AsyncIterable<Uint8Array>): Promise<Spooled> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const path = join(this.#folder, randomUUID());
    const file = await open(path, "wx", 0o600);
    const hash = createHash("sha256");
    try {
      const bytes = await this.#write(name, await unpacked(name, content), file, hash);
      await file.close();
      return {
        path,
        bytes,
        sha256: hash.digest("hex"),
        read: (start, end) => fileRange(path, start, end),
        close: () => rm(path, { force: true }),
      };
    } catch (error) {
      await file.close();
      await rm(path, { force: true });
      throw error;
    }
  }

  /** Deletes everything, also what an earlier process left. */
  async clear(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #write(
    name: string,
    content: AsyncIterable<Uint8Array>,
    file: FileHandle,
    hash: { update(data: Uint8Array): unknown },
  ): Promise<number> {
    let bytes = 0;
    for await (const part of content) {
      bytes += part.byteLength;
      if (bytes > this.#limit) throw new InputError(`${name}: it has more than ${this.#limit} bytes, which is refused`);
      hash.update(part);
      for (let at = 0; at < part.byteLength; ) at += (await file.write(part, at)).bytesWritten;
    }
    return bytes;
  }
}

/** Whether bytes begin as gzip (RFC 1952) does; no UTF-8 text and no Parquet file does. */
export const isGzip = (begin: Uint8Array): boolean => begin[0] === 0x1f && begin[1] === 0x8b;

async function unpacked(name: string, content: AsyncIterable<Uint8Array>): Promise<AsyncIterable<Uint8Array>> {
  const { begin, whole } = await peek(content);
  if (!isGzip(begin)) return whole;
  return gunzip(name, whole);
}

async function* gunzip(name: string, content: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const source = Readable.from(copies(content), { objectMode: false });
  const unzip = createGunzip();
  source.on("error", (error) => unzip.destroy(error));
  try {
    yield* source.pipe(unzip) as AsyncIterable<Uint8Array>;
  } catch (cause) {
    if (!(cause as NodeJS.ErrnoException).code?.startsWith("Z_")) throw cause;
    throw new InputError(`${name}: it is damaged gzip (${(cause as Error).message})`, { cause });
  } finally {
    source.destroy();
  }
}

/** The first two bytes, and the stream with them. */
async function peek(
  content: AsyncIterable<Uint8Array>,
): Promise<{ readonly begin: Uint8Array; readonly whole: AsyncIterable<Uint8Array> }> {
  const iterator = content[Symbol.asyncIterator]();
  const parts: Uint8Array[] = [];
  let length = 0;
  while (length < 2) {
    const next = await iterator.next();
    if (next.done === true) break;
    parts.push(next.value);
    length += next.value.byteLength;
  }
  const rest = { [Symbol.asyncIterator]: () => iterator };
  async function* whole(): AsyncIterable<Uint8Array> {
    yield* parts;
    yield* rest;
  }
  return { begin: Uint8Array.from(parts.flatMap((part) => [...part.subarray(0, 2)])).subarray(0, 2), whole: whole() };
}

/** The stream asks for pieces before it has used the last ones. */
async function* copies(content: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  for await (const piece of content) yield piece.slice();
}
