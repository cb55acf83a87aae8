import type { Clock } from "../../shared/clock.ts";
import { type FetchLike, readApiError } from "../api/errors.ts";

/** Tries in a row that bring no byte before a download gives up, and ms before the second; each wait doubles. */
const TRIES = 3;
const RETRY_FIRST_MS = 100;
/** ms without a byte after which a connection counts as broken. The first byte may take longer: others may have to compute it. */
const IDLE_MS = 20_000;
const FIRST_BYTE_MS = 60_000;

export interface Transfer {
  readonly fetch: FetchLike;
  readonly clock: Clock;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** The bytes [start, end) of a resource, or all of it where `end` is null. */
export interface Wanted {
  readonly start: number;
  readonly end: number | null;
}

/** What has arrived so far. */
interface Progress {
  /** Null until the size is known. */
  target: Uint8Array<ArrayBuffer> | null;
  received: number;
}

/** The coordinator's refusal: asking again at once would bring the same. */
class Refused extends Error {
  readonly error: Error;
  constructor(error: Error) {
    super(error.message);
    this.error = error;
  }
}

/**
 * Downloads bytes, taking up a broken transfer where it broke. Rejects with the coordinator's own error, with the last
 * connection's error, or with the signal's reason.
 */
export async function download(transfer: Transfer, wanted: Wanted, signal: AbortSignal): Promise<Uint8Array> {
  const progress: Progress = {
    target: wanted.end === null ? null : new Uint8Array(wanted.end - wanted.start),
    received: 0,
  };
  for (let tries = 1, wait = RETRY_FIRST_MS; ; ) {
    const before = progress.received;
    try {
      return await attempt(transfer, wanted, progress, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof Refused) throw error.error;
      if (progress.received > before) {
        tries = 0;
        wait = RETRY_FIRST_MS;
      }
      if (tries === TRIES) throw error;
    }
    await new Promise<void>((resolve) => transfer.clock.after(wait, resolve));
    signal.throwIfAborted();
    tries++;
    wait *= 2;
  }
}

async function attempt(
  { fetch, clock, url, headers }: Transfer,
  wanted: Wanted,
  progress: Progress,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const idle = idleSignal(clock);
  const stop = AbortSignal.any([signal, idle.signal]);
  try {
    const from = wanted.start + progress.received;
    const range = from > 0 || wanted.end !== null;
    const last = wanted.end === null ? "" : wanted.end - 1;
    const response = await fetch(url, {
      headers: range ? { ...headers, Range: `bytes=${from}-${last}` } : headers,
      signal: stop,
      // The node has caches of its own.
      cache: "no-store",
      redirect: "error",
    });
    if (!response.ok) throw new Refused(await readApiError(response));
    if (range !== (response.status === 206))
      throw new Error(`The answer ${response.status} is not the range asked for`);
    progress.target ??= new Uint8Array(Number(response.headers.get("Content-Length") ?? 0));
    await fill(response, progress, idle.restart);
    if (progress.received < progress.target.byteLength) throw new Error("The transfer broke off");
    return progress.target;
  } catch (error) {
    throw idle.signal.aborted ? new Error("No byte came for too long", { cause: error }) : error;
  } finally {
    idle.end();
  }
}

async function fill(response: Response, progress: Progress, alive: () => void): Promise<void> {
  const reader = response.body?.getReader();
  if (reader === undefined) return;
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    alive();
    // More bytes than wanted do not fit: `set` throws, and the transfer counts as broken.
    progress.target?.set(read.value, progress.received);
    progress.received += read.value.byteLength;
  }
}

/** A signal that aborts when `restart` was not called for too long. */
function idleSignal(clock: Clock) {
  const controller = new AbortController();
  const expire = (): void => controller.abort();
  let cancel = clock.after(FIRST_BYTE_MS, expire);
  return {
    signal: controller.signal,
    restart(): void {
      cancel();
      cancel = clock.after(IDLE_MS, expire);
    },
    end: (): void => cancel(),
  };
}
