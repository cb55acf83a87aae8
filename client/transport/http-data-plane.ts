import { type Clock, systemClock } from "../../shared/clock.ts";
import { KindlingError } from "../../shared/errors.ts";
import { sha256Hex } from "../../shared/hash.ts";
import type { BlobHash } from "../../shared/ids.ts";
import { type FetchLike, readApiError } from "../api/errors.ts";
import type { DataPlane } from "../node/data-plane.ts";
import { type Ask, askByFetch } from "./answer.ts";
import { Download, download, type Transfer, type Wanted } from "./download.ts";

export interface HttpDataPlaneOptions {
  /** Origin of the coordinator, `http://host:port`. */
  readonly url: string;
  /** From the welcome: proves the node. */
  readonly secret: string;
  readonly fetch?: FetchLike;
  /** How large amounts of bytes are asked for, where there is a better way than fetch. */
  readonly ask?: Ask;
  readonly clock?: Clock;
}

type Unavailable = "InputUnavailable" | "SourceUnavailable";

/** A node's bytes over HTTP: what came is checked by its hash, and a transfer that broke is taken up where it broke. */
export function createHttpDataPlane(options: HttpDataPlaneOptions): DataPlane {
  const { url, secret, clock = systemClock } = options;
  const fetchNow: FetchLike = options.fetch ?? ((input, init) => fetch(input, init));
  const headers = { Authorization: `Bearer ${secret}` };
  const ask = options.ask ?? askByFetch(fetchNow);
  const transfer = (path: string): Transfer => ({ ask, clock, headers, url: `${url}${path}` });

  async function bytes(path: string, wanted: Wanted, what: string, signal: AbortSignal): Promise<Uint8Array> {
    try {
      return await download(transfer(path), wanted, signal);
    } catch (error) {
      signal.throwIfAborted();
      throw unavailable("InputUnavailable", what, error);
    }
  }

  async function blob(
    hash: BlobHash,
    size: number | null,
    what: string,
    signal: AbortSignal,
    start: Uint8Array = new Uint8Array(0),
  ): Promise<Uint8Array> {
    const from = start.byteLength;
    // An empty range cannot be asked for.
    const rest =
      size === from ? new Uint8Array(0) : await bytes(`/api/blobs/${hash}`, { start: from, end: size }, what, signal);
    const content = from === 0 ? rest : joined(start, rest);
    const actual = await sha256Hex(content);
    if (actual !== hash) throw unavailable("InputUnavailable", what, new Error(`its bytes have the hash ${actual}`));
    return content;
  }

  return {
    bundle: (hash, signal) => blob(hash, null, `bundle ${hash}`, signal),
    async chunk({ key, bytes: size, hash, inline }, signal, start) {
      if (inline !== undefined) return { encoded: inline };
      if (hash === null) throw unavailable("InputUnavailable", key, new Error("it has no hash to ask for"));
      return { encoded: await blob(hash, size, `chunk ${key}`, signal, start) };
    },
    async upload({ key, hash }, payload, signal) {
      if (hash === null || !("encoded" in payload)) {
        throw new KindlingError("BadChunk", `${key} has no encoded form to send`);
      }
      const body = payload.encoded as Uint8Array<ArrayBuffer>;
      const sent = await fetchNow(`${url}/api/blobs/${hash}`, { method: "PUT", headers, body, signal }).catch(
        (error: unknown) => {
          signal.throwIfAborted();
          throw new KindlingError("UploadFailed", `${key} could not be sent`, { retryable: true, cause: error });
        },
      );
      if (!sent.ok) throw await readApiError(sent);
      await sent.body?.cancel();
      return sent.status === 201;
    },
    read(job, { ordinal, name }, start, end, signal) {
      const stream = new Download(transfer(`/api/jobs/${job}/sources/${ordinal}`), { start, end }, signal, "full");
      return {
        next: (buffer) =>
          stream.next(buffer).catch((error: unknown) => {
            signal.throwIfAborted();
            throw unavailable("SourceUnavailable", `bytes ${start} to ${end} of ${name}`, error);
          }),
        close: () => stream.close(),
      };
    },
  };
}

function joined(start: Uint8Array, rest: Uint8Array): Uint8Array {
  const whole = new Uint8Array(start.byteLength + rest.byteLength);
  whole.set(start);
  whole.set(rest, start.byteLength);
  return whole;
}

function unavailable(code: Unavailable, what: string, cause: unknown): KindlingError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new KindlingError(code, `${what} cannot be had now: ${reason}`, { retryable: true, cause });
}
