import type { Clock } from "../../shared/clock.ts";
import { type ByteStream, take } from "../node/byte-stream.ts";
import { type Ask, Refused } from "./answer.ts";
import type { Body } from "./body.ts";

/** Tries in a row that bring no byte before a download gives up, and ms before the second; each wait doubles. */
const TRIES = 3;
const RETRY_FIRST_MS = 100;
/** ms without a byte after which a connection counts as broken. The first byte may take longer: others may have to compute it. */
const IDLE_MS = 20_000;
const FIRST_BYTE_MS = 60_000;

export interface Transfer {
  readonly ask: Ask;
  readonly clock: Clock;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** The bytes [start, end) of a resource, or all of it where `end` is null. */
export interface Wanted {
  readonly start: number;
  readonly end: number | null;
}

/** Downloads bytes, as `Download` does; of what has come nothing is asked for again. */
export async function download(transfer: Transfer, wanted: Wanted, signal: AbortSignal): Promise<Uint8Array> {
  const stream = new Download(transfer, wanted, signal, "early");
  try {
    return await take(stream, await stream.size());
  } finally {
    stream.close();
  }
}

/**
 * Bytes of a resource, piece by piece; a broken transfer is taken up where it broke. Rejects with the coordinator's own error, with the
 * last connection's error, or with the signal's reason.
 */
export class Download implements ByteStream {
  readonly #transfer: Transfer;
  readonly #closing = new AbortController();
  readonly #signal: AbortSignal;
  readonly #pieces: "full" | "early";
  readonly #start: number;
  /** Null until the size is known. */
  #end: number | null;
  #position: number;
  #connection: { readonly body: Body; readonly idle: Idle } | undefined;

  /** `pieces`: whether each is full, which costs less, or is given out as it comes, so that none is lost when a connection breaks. */
  constructor(transfer: Transfer, { start, end }: Wanted, signal: AbortSignal, pieces: "full" | "early") {
    this.#transfer = transfer;
    this.#pieces = pieces;
    this.#signal = AbortSignal.any([signal, this.#closing.signal]);
    this.#start = start;
    this.#end = end;
    this.#position = start;
  }

  /** Bytes in all. */
  async size(): Promise<number> {
    if (this.#end === null) await this.#steadily(() => this.#connected());
    return (this.#end ?? this.#start) - this.#start;
  }

  next(buffer: ArrayBuffer): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = buffer.byteLength;
    if (this.#position === this.#end) return Promise.resolve(new Uint8Array(buffer, 0, 0));
    let memory: ArrayBuffer | undefined = buffer;
    return this.#steadily(async (isFirstTry) => {
      const { body, idle } = await this.#connected();
      const left = (this.#end ?? this.#position) - this.#position;
      const given = memory ?? new ArrayBuffer(bytes);
      // It is lost with a connection that breaks, and all that came into it: after a break what comes is given out at once, so that a
      // connection that breaks again and again moves on.
      memory = undefined;
      const isWhole = this.#pieces === "full" && isFirstTry;
      const piece = await body.fill(given, Math.min(bytes, left), isWhole, idle.restart);
      if (piece.byteLength === 0) throw new Error("The transfer broke off");
      if (piece.byteLength === left && !(await body.isAtEnd())) throw new Error("More bytes came than were asked for");
      idle.pause();
      this.#position += piece.byteLength;
      return piece;
    });
  }

  close(): void {
    this.#disconnect();
    this.#closing.abort(new Error("The download was ended"));
  }

  async #steadily<T>(act: (isFirstTry: boolean) => Promise<T>): Promise<T> {
    for (let tries = 1, wait = RETRY_FIRST_MS; ; tries++, wait *= 2) {
      try {
        return await act(tries === 1);
      } catch (error) {
        const isIdle = this.#connection?.idle.signal.aborted ?? false;
        this.#disconnect();
        this.#signal.throwIfAborted();
        if (error instanceof Refused) throw error.error;
        if (tries === TRIES) throw isIdle ? new Error("No byte came for too long", { cause: error }) : error;
      }
      await new Promise<void>((resolve) => this.#transfer.clock.after(wait, resolve));
      this.#signal.throwIfAborted();
    }
  }

  async #connected(): Promise<{ readonly body: Body; readonly idle: Idle }> {
    if (this.#connection !== undefined) {
      this.#connection.idle.restart();
      return this.#connection;
    }
    const { ask, clock, url, headers } = this.#transfer;
    const idle = new Idle(clock);
    const from = this.#position;
    const range = from > 0 || this.#end !== null;
    const last = this.#end === null ? "" : this.#end - 1;
    try {
      const sent = range ? { ...headers, Range: `bytes=${from}-${last}` } : headers;
      const { status, bytes, body } = await ask(url, sent, AbortSignal.any([this.#signal, idle.signal]));
      if (range !== (status === 206)) throw new Error(`The answer ${status} is not the range asked for`);
      this.#end ??= from + bytes;
      this.#connection = { body, idle };
      return this.#connection;
    } catch (error) {
      const isIdle = idle.signal.aborted;
      idle.end();
      throw isIdle ? new Error("No byte came for too long", { cause: error }) : error;
    }
  }

  #disconnect(): void {
    this.#connection?.idle.end();
    this.#connection = undefined;
  }
}

/** A signal that aborts when no byte came for too long while one was waited for. */
class Idle {
  readonly #clock: Clock;
  readonly #controller = new AbortController();
  /** When patience ends. It moves with each piece: a timer for each would cost more than its bytes. */
  #deadline = Number.POSITIVE_INFINITY;
  /** When the timer comes, to look at the deadline. */
  #due = Number.POSITIVE_INFINITY;
  #cancel = (): void => {};
  readonly signal = this.#controller.signal;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#wait(FIRST_BYTE_MS);
  }

  readonly restart = (): void => this.#wait(IDLE_MS);

  pause(): void {
    this.#deadline = Number.POSITIVE_INFINITY;
  }

  /** Ends the connection. */
  readonly end = (): void => {
    this.#cancel();
    this.#controller.abort();
  };

  #wait(ms: number): void {
    const now = this.#clock.now();
    this.#deadline = now + ms;
    if (this.#deadline < this.#due) this.#setTimer(now);
  }

  #setTimer(now: number): void {
    this.#cancel();
    this.#due = this.#deadline;
    this.#cancel = this.#clock.after(this.#due - now, () => {
      this.#due = Number.POSITIVE_INFINITY;
      const at = this.#clock.now();
      if (at >= this.#deadline) this.end();
      else if (this.#deadline < this.#due) this.#setTimer(at);
    });
  }
}
