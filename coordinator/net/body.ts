import type { IncomingMessage } from "node:http";
import { KindlingError } from "../../shared/errors.ts";

const MAX_JSON_BYTES = 1024 * 1024;
/** Levels of arrays and objects; parameters need three or four, and a journalled value may have 32. */
const MAX_JSON_DEPTH = 16;
/** ms in which a JSON body must be there as a whole. */
const JSON_PATIENCE_MS = 10_000;
/** ms without a byte after which the sender of a long body counts as gone. */
const UPLOAD_PATIENCE_MS = 30_000;

/** Reads a JSON body; throws `UnsupportedType`, `TooLarge`, `Timeout` or `BadRequest`. */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  // A form of another site cannot send this type.
  if (!/^application\/json\s*(;|$)/i.test(request.headers["content-type"] ?? "")) {
    throw new KindlingError("UnsupportedType", "Send JSON, with `Content-Type: application/json`");
  }
  const timer = setTimeout(() => request.destroy(timeout()), JSON_PATIENCE_MS);
  const pieces: Uint8Array[] = [];
  try {
    for await (const piece of limited(request, MAX_JSON_BYTES)) pieces.push(piece);
  } finally {
    clearTimeout(timer);
  }
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(pieces)));
  } catch (cause) {
    throw new KindlingError("BadRequest", `The body is not JSON: ${(cause as Error).message}`, { cause });
  }
  checkJson(value);
  return value;
}

/** A long body in pieces, at most `maxBytes` and never idle for long. */
export async function* readUpload(request: IncomingMessage, maxBytes: number): AsyncGenerator<Uint8Array> {
  let timer = setTimeout(() => request.destroy(timeout()), UPLOAD_PATIENCE_MS);
  try {
    for await (const piece of limited(request, maxBytes)) {
      clearTimeout(timer);
      yield piece;
      timer = setTimeout(() => request.destroy(timeout()), UPLOAD_PATIENCE_MS);
    }
  } finally {
    clearTimeout(timer);
  }
}

const timeout = (): KindlingError => new KindlingError("Timeout", "The body did not arrive in time");

async function* limited(request: IncomingMessage, maxBytes: number): AsyncGenerator<Uint8Array> {
  const tooLarge = (): KindlingError => new KindlingError("TooLarge", `The body is larger than ${maxBytes} bytes`);
  if (Number(request.headers["content-length"] ?? 0) > maxBytes) throw tooLarge();
  let bytes = 0;
  // The connection must live on to carry the answer.
  for await (const piece of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>) {
    bytes += piece.byteLength;
    if (bytes > maxBytes) throw tooLarge();
    yield piece;
  }
}

/** Throws `BadRequest` for values nested too deep, and for the key that would reach an object's prototype. */
function checkJson(root: unknown): void {
  let level: unknown[] = [root];
  for (let depth = 0; level.length > 0; depth++) {
    const next: unknown[] = [];
    for (const value of level) {
      if (typeof value !== "object" || value === null) continue;
      if (depth >= MAX_JSON_DEPTH) {
        throw new KindlingError("BadRequest", `The body is nested deeper than ${MAX_JSON_DEPTH} levels`);
      }
      if (Object.hasOwn(value, "__proto__")) throw new KindlingError("BadRequest", "The body has a key `__proto__`");
      for (const child of Object.values(value)) next.push(child);
    }
    level = next;
  }
}
