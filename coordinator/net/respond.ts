import type { ServerResponse } from "node:http";
import { plainJson } from "../../shared/plain-json.ts";

/** ms in which a reader must take something of what waits for it. */
const READER_PATIENCE_MS = 10_000;

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  const text = Buffer.from(JSON.stringify(body, plainJson));
  response.writeHead(status, {
    "Content-Type": "application/json; charset=utf-8",
    "Content-Length": text.byteLength,
    "Cache-Control": "no-store",
  });
  response.end(text);
}

/**
 * Writes a response's body no faster than it is read, so that it never collects in memory: each piece has left before the next is asked
 * for, and may lie in memory that is used again then. Headers are sent by the first byte: an error before it can still be answered.
 */
export async function sendBytes(
  response: ServerResponse,
  content: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
  patienceMs = READER_PATIENCE_MS,
): Promise<void> {
  let isWriting = false;
  // Comes when nothing has left for so long; a source may take its time.
  response.setTimeout(patienceMs, () => {
    if (isWriting) response.destroy();
  });
  for await (const piece of content) {
    isWriting = true;
    await written(response, piece, signal);
    isWriting = false;
  }
  response.end();
}

/** Resolves when the piece has left; rejects when the reader has gone. */
async function written(response: ServerResponse, piece: Uint8Array, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const gone = (): void => reject(signal.reason as Error);
  signal.addEventListener("abort", gone, { once: true });
  response.write(piece, (error) => (error ? reject(error) : resolve()));
  await promise.finally(() => signal.removeEventListener("abort", gone));
}
