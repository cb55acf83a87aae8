import type { Clock } from "../../shared/clock.ts";
import { toWireError } from "../../shared/errors.ts";
import type { JobId } from "../../shared/ids.ts";
import type { SourceSpec } from "../../shared/protocol/messages.ts";
import type { ByteStream } from "./byte-stream.ts";
import type { DataPlane } from "./data-plane.ts";

/** Tries while connected, and ms before the second; each wait doubles. */
const TRIES = 4;
const RETRY_FIRST = 200;

/** The connection as seen by who needs bytes by `Plane`. */
export interface Connection<Plane = DataPlane> {
  readonly clock: Clock;
  /** Resolves with the present data plane once the node has joined; rejects when `signal` aborts. */
  plane(signal: AbortSignal): Promise<Plane>;
  isJoined(): boolean | Promise<boolean>;
}

/** What the promise resolves with; rejects with the signal's reason when that aborts first. */
export async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const { promise: stopped, reject } = Promise.withResolvers<never>();
  const listener = (): void => reject(signal.reason as Error);
  signal.addEventListener("abort", listener, { once: true });
  try {
    return await Promise.race([promise, stopped]);
  } finally {
    signal.removeEventListener("abort", listener);
  }
}

/** Tries again what may succeed later; while the node is not joined it waits, and no try counts. */
export async function steadily<Plane, T>(
  connection: Connection<Plane>,
  signal: AbortSignal,
  act: (plane: Plane, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  for (let tries = 1, wait = RETRY_FIRST; ; ) {
    const plane = await connection.plane(signal);
    try {
      return await act(plane, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!(await connection.isJoined())) continue;
      if (tries === TRIES || !toWireError(error).retryable) throw error;
    }
    await new Promise<void>((resolve) => connection.clock.after(wait, resolve));
    signal.throwIfAborted();
    tries++;
    wait *= 2;
  }
}

/** What is read of which source. */
export interface SourcePart {
  readonly job: JobId;
  readonly source: SourceSpec;
  readonly start: number;
  readonly end: number;
}

/** The bytes [start, end) of a source; a break of the connection delays them. `count` is told how many came each time. */
export function readSteadily(
  connection: Connection<Pick<DataPlane, "read">>,
  { job, source, start, end }: SourcePart,
  lifetime: AbortSignal,
  count: (bytes: number) => void,
): ByteStream {
  const closing = new AbortController();
  const signal = AbortSignal.any([lifetime, closing.signal]);
  let position = start;
  /** From one data plane: after a reconnect there is another. */
  let opened: { readonly plane: Pick<DataPlane, "read">; readonly stream: ByteStream } | undefined;
  const openOn = (plane: Pick<DataPlane, "read">): ByteStream => {
    if (opened?.plane !== plane) {
      opened?.stream.close();
      opened = { plane, stream: plane.read(job, source, position, end, signal) };
    }
    return opened.stream;
  };
  return {
    next: async (buffer) => {
      const room = buffer.byteLength;
      let memory: ArrayBuffer | undefined = buffer;
      const bytes = await steadily(connection, signal, (plane) => {
        const given = memory ?? new ArrayBuffer(room);
        memory = undefined;
        return openOn(plane).next(given);
      });
      position += bytes.byteLength;
      count(bytes.byteLength);
      return bytes;
    },
    close() {
      opened?.stream.close();
      closing.abort(new Error("The reader wants no more"));
    },
  };
}
