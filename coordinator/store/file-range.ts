import { type FileHandle, open } from "node:fs/promises";

/** Bytes of one read: so large that the calls for it do not show beside the copying. */
const PIECE_BYTES = 2 ** 20;
/** Buffers that wait for the next range, at most. */
const SPARE_BUFFERS = 8;
const spare: Uint8Array<ArrayBuffer>[] = [];

/**
 * The bytes [start, end) of a file; fewer where it ends before. The next piece is read while the last one is used, which holds only until
 * the next is asked for: its memory is then used again.
 */
export async function* fileRange(path: string, start: number, end: number): AsyncGenerator<Uint8Array> {
  if (start >= end) return;
  const file = await open(path, "r");
  const buffers = [takeBuffer(), takeBuffer()] as const;
  let [current, next] = buffers;
  let reading: Promise<number> | undefined = readPiece(file, current, start, end);
  try {
    for (let at = start; reading !== undefined; ) {
      const got: number = await reading;
      at += got;
      reading = got === 0 || at >= end ? undefined : readPiece(file, next, at, end);
      // It may fail while nobody waits for it yet: the next turn tells.
      reading?.catch(() => undefined);
      if (got > 0) yield current.subarray(0, got);
      [current, next] = [next, current];
    }
  } finally {
    await reading?.catch(() => undefined);
    await file.close();
    for (const buffer of buffers) if (spare.length < SPARE_BUFFERS) spare.push(buffer);
  }
}

const takeBuffer = (): Uint8Array<ArrayBuffer> => spare.pop() ?? new Uint8Array(PIECE_BYTES);

async function readPiece(file: FileHandle, buffer: Uint8Array, start: number, end: number): Promise<number> {
  const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.byteLength, end - start), start);
  return bytesRead;
}
