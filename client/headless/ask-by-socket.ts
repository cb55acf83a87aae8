import { validateHeaderValue } from "node:http";
import { connect, type Socket } from "node:net";
import { readApiError } from "../api/errors.ts";
import { type Answer, type Ask, Refused } from "../transport/answer.ts";
import type { Body } from "../transport/body.ts";

/**
 * Bytes of a socket's own memory: what it reads before it learns where the bytes shall go, which is a head, and of each piece what Node
 * reads first, as it asks for the next memory before the last piece was taken. That is copied; the rest comes right where it shall go.
 */
const OWN_BYTES = 2 ** 12;
const MAX_HEAD_BYTES = 2 ** 14;
const MAX_ERROR_BYTES = 2 ** 16;
const LATIN1 = new TextDecoder("latin1");
const HEAD_END = "\r\n\r\n";

/**
 * Asks over sockets of its own, which are kept for the next request. Node's fetch makes several new buffers for each 64 KiB that come:
 * for inputs of gigabytes it takes ten times as long as the copying. Answers are HTTP/1.1 with a length, as the coordinator gives them;
 * another one (a proxy may send it) is asked for again by `otherwise`, which also serves https.
 */
export function askBySocket(otherwise: Ask): Ask {
  const idle = new Map<string, Connection[]>();
  return async (url, headers, signal) => {
    const { protocol, hostname, host, port, pathname, search } = new URL(url);
    if (protocol !== "http:") return otherwise(url, headers, signal);
    const spare = idle.get(host) ?? [];
    idle.set(host, spare);
    const lines = Object.entries(headers).map(([name, value]) => {
      validateHeaderValue(name, value);
      return `${name}: ${value}\r\n`;
    });
    const request = `GET ${pathname}${search} HTTP/1.1\r\nHost: ${host}\r\n${lines.join("")}\r\n`;
    const release = (connection: Connection): void => {
      if (!connection.isBroken) spare.push(connection);
    };
    for (let kept = spare.pop(); kept !== undefined; kept = spare.pop()) {
      // The coordinator closes what was idle for long: that is no fault.
      const answer = await kept.ask(request, signal, release).catch(() => null);
      signal.throwIfAborted();
      if (answer !== null) return settled(answer, url, headers, signal, otherwise);
    }
    const address = hostname.replace(/^\[(.*)\]$/, "$1");
    const connection = new Connection(address, port === "" ? 80 : Number(port));
    return settled(await connection.ask(request, signal, release), url, headers, signal, otherwise);
  };
}

async function settled(
  answer: Answer | "other",
  url: string,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
  otherwise: Ask,
): Promise<Answer> {
  if (answer === "other") return otherwise(url, headers, signal);
  if (answer.status >= 200 && answer.status < 300) return answer;
  const room = Math.min(answer.bytes, MAX_ERROR_BYTES);
  const text = await answer.body.fill(new ArrayBuffer(room), room, true, () => undefined);
  throw new Refused(await readApiError(new Response(text, { status: answer.status })));
}

/** One socket, with one answer at a time. */
class Connection {
  readonly #socket: Socket;
  readonly #own = new Uint8Array(OWN_BYTES);
  /** What came into its own memory and was not taken yet; nothing is read meanwhile. */
  #rest: Uint8Array = this.#own.subarray(0, 0);
  /** Where the next bytes shall come; undefined for its own memory. */
  #place: Uint8Array | undefined;
  /** Takes bytes as they come; gives how many it took. Those that came into its place it has, and takes all of them. */
  #take: ((bytes: Uint8Array) => number) | undefined;
  #fail: (error: Error) => void = () => undefined;
  #failure: Error | undefined;

  constructor(host: string, port: number) {
    const onread = {
      buffer: () => this.#place ?? this.#own,
      callback: (bytes: number, memory: Uint8Array) => this.#receive(memory.subarray(0, bytes)),
    };
    this.#socket = connect({ host, port, noDelay: true, onread });
    this.#socket.on("error", (error) => this.#break(error));
    this.#socket.on("close", () => this.#break(new Error("The connection was closed")));
  }

  get isBroken(): boolean {
    return this.#failure !== undefined;
  }

  /** Sends the request; gives "other" for an answer without a length. `release` is called when the answer's last byte was taken. */
  async ask(request: string, signal: AbortSignal, release: (idle: Connection) => void): Promise<Answer | "other"> {
    signal.throwIfAborted();
    const abort = (): void => void this.#socket.destroy(signal.reason as Error);
    signal.addEventListener("abort", abort, { once: true });
    this.#socket.ref();
    this.#socket.write(request);
    const head = await this.#head();
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1]);
    const length = /\r\ncontent-length: *(\d{1,15})\r\n/i.exec(head)?.[1];
    const isLasting = !/\r\nconnection: *close\r\n/i.test(head);
    if (Number.isNaN(status) || length === undefined || /\r\ntransfer-encoding:/i.test(head)) {
      signal.removeEventListener("abort", abort);
      this.#socket.destroy();
      return "other";
    }
    const bytes = Number(length);
    const done = (): void => {
      signal.removeEventListener("abort", abort);
      this.#socket.unref();
      if (this.#rest.byteLength > 0 || !isLasting)
        this.#socket.destroy(new Error("More came than the answer's length"));
      else release(this);
    };
    if (bytes === 0) done();
    return { status, bytes, body: this.#body(bytes, done) };
  }

  /** The answer's head with the empty line after it. */
  #head(): Promise<string> {
    let head = "";
    return this.#taking<string>((bytes, resolve, reject) => {
      const before = head.length;
      head += LATIN1.decode(bytes);
      const end = head.indexOf(HEAD_END);
      if (end !== -1) {
        head = head.slice(0, end + HEAD_END.length);
        resolve(head);
        return head.length - before;
      }
      if (head.length > MAX_HEAD_BYTES) reject(new Error("The answer's head has no end"));
      return bytes.byteLength;
    });
  }

  #body(bytes: number, done: () => void): Body {
    let left = bytes;
    return {
      fill: (buffer, room, whole, alive) => {
        const target = new Uint8Array(buffer, 0, Math.min(room, left));
        if (target.byteLength === 0) return Promise.resolve(target);
        let filled = 0;
        return this.#taking<Uint8Array<ArrayBuffer>>((came, resolve) => {
          const part = came.subarray(0, target.byteLength - filled);
          if (part.buffer !== buffer) target.set(part, filled);
          filled += part.byteLength;
          left -= part.byteLength;
          alive();
          if (filled === target.byteLength || !whole) resolve(target.subarray(0, filled));
          else this.#place = target.subarray(filled);
          return part.byteLength;
        }).finally(() => {
          if (left === 0) done();
        });
      },
      isAtEnd: () => Promise.resolve(left === 0),
    };
  }

  /** Gives what comes to `take` until it resolves or rejects. */
  #taking<T>(
    take: (bytes: Uint8Array, resolve: (value: T) => void, reject: (error: Error) => void) => number,
  ): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const stop = (): void => {
      this.#take = undefined;
      this.#place = undefined;
      this.#fail = () => undefined;
    };
    this.#fail = (error) => {
      stop();
      reject(error);
    };
    this.#take = (bytes) =>
      take(
        bytes,
        (value) => {
          stop();
          resolve(value);
        },
        (error) => this.#socket.destroy(error),
      );
    this.#receive(this.#rest);
    if (this.#failure !== undefined) this.#fail(this.#failure);
    else if (this.#rest.byteLength === 0) this.#socket.resume();
    return promise;
  }

  /** Whether to read on: its own memory is read into again. */
  #receive(bytes: Uint8Array): boolean {
    let rest = bytes;
    while (this.#take !== undefined && rest.byteLength > 0) rest = rest.subarray(this.#take(rest));
    this.#rest = rest;
    return rest.byteLength === 0;
  }

  #break(error: Error): void {
    this.#failure ??= error;
    this.#fail(this.#failure);
  }
}
