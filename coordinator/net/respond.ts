import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { KindlingError } from "../../shared/errors.ts";

/** ms in which a reader must take something of what waits for it. */
const READER_PATIENCE_MS = 10_000;

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  const text = Buffer.from(JSON.stringify(body, plain));
  response.writeHead(status, {
    "Content-Type": "application/json; charset=utf-8",
    "Content-Length": text.byteLength,
    "Cache-Control": "no-store",
  });
  response.end(text);
}

/** Values of jobs have big integers and typed arrays, which JSON has not. */
function plain(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") {
    return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value.toString();
  }
  return ArrayBuffer.isView(value) ? Array.from(value as Uint8Array) : value;
}

/**
 * Writes a response's body no faster than it is read, so that it never collects in memory. Headers are sent by the first
 * byte: an error before it can still be answered.
 */
export async function sendBytes(
  response: ServerResponse,
  content: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  for await (const piece of content) {
    if (signal.aborted) return;
    if (!response.write(piece)) await drained(response, signal);
  }
  response.end();
}

async function drained(response: ServerResponse, signal: AbortSignal): Promise<void> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(READER_PATIENCE_MS)]);
  try {
    await once(response, "drain", { signal: limit });
  } catch {
    response.destroy();
    throw new KindlingError("Timeout", "The reader does not read");
  }
}
