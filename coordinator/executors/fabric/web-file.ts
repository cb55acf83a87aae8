import { Agent as HttpAgent, type IncomingMessage, request as httpRequest } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { InputError, KindlingError } from "../../../shared/errors.ts";
import type { ReadableSource } from "./source.ts";
import { isGzip, type Spool } from "./spool.ts";
import { checkedLookup, checkUrl, hostOf, isPublicAddress, type Resolve, type WebRule } from "./web-address.ts";

export interface WebOptions {
  readonly rule: WebRule;
  readonly spool: Spool;
  readonly resolve: Resolve;
}

const MAX_REDIRECTS = 5;
/** HTTP: from the first one on, and with the other, a server says that it may answer the same request later. */
const SERVER_ERROR = 500;
const TOO_MANY_REQUESTS = 429;
/** ms without a byte. */
const IDLE_MS = 30_000;
/** ms that a whole file may take where it must be fetched at once. */
const WHOLE_MS = 3_600_000;

export const isUrl = (file: string): boolean => /^[a-z][a-z0-9+.-]*:\/\//i.test(file);

/**
 * A file of a web server. Where the server answers range requests its parts are read in place, known again by ETag, modification time and
 * size; otherwise, and for gzip, it is fetched once. Redirects are followed up to five times, each checked as the first URL was; from a
 * public address none leads to an address that is not.
 */
export async function openWebFile(text: string, options: WebOptions): Promise<ReadableSource> {
  const name = shownName(text);
  const web = new Web(name, options);
  try {
    const { response, url, rule } = await web.get(text, { range: "bytes=0-1" });
    const size = partOf(response)?.size ?? null;
    const begin = size === null ? null : await firstBytes(response);
    if (size === null || begin === null || isGzip(begin)) {
      const isWhole = response.statusCode === 200;
      if (!isWhole) response.destroy();
      const whole = isWhole ? response : (await web.get(url.href, {}, rule)).response;
      return await spooled(name, whole, options.spool).finally(() => web.close());
    }
    const version = versionOf(response);
    return {
      name,
      bytes: size,
      identity: `${version}, ${size} bytes`,
      path: null,
      read: (start, end) => web.range(url, rule, { start, end, size, version }),
      close: async () => web.close(),
    };
  } catch (error) {
    web.close();
    throw error;
  }
}

async function spooled(name: string, response: IncomingMessage, spool: Spool): Promise<ReadableSource> {
  const version = versionOf(response);
  const late = setTimeout(
    () => response.destroy(new InputError(`${name}: it did not arrive within ${WHOLE_MS / 60_000} minutes`)),
    WHOLE_MS,
  );
  try {
    const { path, bytes, sha256, read, close } = await spool.take(name, response);
    return { name, bytes, identity: `${version}, sha256 ${sha256}`, path, read, close };
  } finally {
    clearTimeout(late);
  }
}

/** Requests to one server for one input. */
class Web {
  readonly #name: string;
  readonly #options: WebOptions;
  readonly #agents = [new HttpAgent({ keepAlive: true }), new HttpsAgent({ keepAlive: true })] as const;

  constructor(name: string, options: WebOptions) {
    this.#name = name;
    this.#options = options;
  }

  /** The answer, where redirects led, and the rule that holds from there on. */
  async get(
    text: string,
    headers: Record<string, string>,
    rule: WebRule = this.#options.rule,
  ): Promise<{ readonly response: IncomingMessage; readonly url: URL; readonly rule: WebRule }> {
    let url = checkUrl(text, rule, this.#name);
    let holds = rule;
    for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
      const { response, address } = await this.#send(url, headers, holds);
      const { statusCode = 0 } = response;
      const { location } = response.headers;
      if (holds === "any" && isPublicAddress(address)) holds = "public";
      if (statusCode >= 300 && statusCode < 400 && location !== undefined && URL.canParse(location, url)) {
        response.destroy();
        url = checkUrl(new URL(location, url).href, holds, this.#name);
        continue;
      }
      const isPart = headers["range"] !== undefined && (statusCode === 206 || statusCode === 416);
      if (statusCode === 200 || isPart) return { response, url, rule: holds };
      response.destroy();
      throw new InputError(`${this.#name}: the server answers ${statusCode} ${response.statusMessage ?? ""}`.trimEnd());
    }
    throw new InputError(`${this.#name}: it redirects more than ${MAX_REDIRECTS} times`);
  }

  async *range(
    url: URL,
    rule: WebRule,
    { start, end, size, version }: { start: number; end: number; size: number; version: string },
  ): AsyncIterable<Uint8Array> {
    for (let at = start; at < end; ) {
      const { response } = await this.#send(url, { range: `bytes=${at}-${end - 1}` }, rule);
      const part = partOf(response);
      const { statusCode = 0 } = response;
      if (statusCode >= SERVER_ERROR || statusCode === TOO_MANY_REQUESTS) {
        response.destroy();
        throw new KindlingError("InputNotServed", `${this.#name}: the server answers ${statusCode}`, {
          retryable: true,
        });
      }
      if (part?.start !== at || part.size !== size || versionOf(response) !== version) {
        response.destroy();
        throw new KindlingError("InputChanged", `${this.#name} changed while the job was under way: run the job again`);
      }
      const before = at;
      for await (const piece of response as AsyncIterable<Uint8Array>) {
        at += piece.byteLength;
        yield piece;
      }
      // A server may send less than it was asked for: the rest is asked for next.
      if (at === before) throw new InputError(`${this.#name}: the server sends no byte from ${at} on`);
    }
  }

  close(): void {
    for (const agent of this.#agents) agent.destroy();
  }

  #send(
    url: URL,
    headers: Record<string, string>,
    rule: WebRule,
  ): Promise<{ readonly response: IncomingMessage; readonly address: string }> {
    const isTls = url.protocol === "https:";
    const send = isTls ? httpsRequest : httpRequest;
    return new Promise((resolve, reject) => {
      const request = send(url, {
        headers: { "accept-encoding": "identity", "user-agent": "kindling", ...headers },
        agent: isTls ? this.#agents[1] : this.#agents[0],
        lookup: checkedLookup(rule, this.#name, this.#options.resolve),
        timeout: IDLE_MS,
      });
      request.on("response", (response) =>
        resolve({ response, address: response.socket.remoteAddress ?? hostOf(url) }),
      );
      request.on("timeout", () => request.destroy(new Error(`no byte for ${IDLE_MS / 1000} s`)));
      request.on("error", (cause) => {
        if (cause instanceof InputError) reject(cause);
        else {
          const message = `${this.#name}: the server cannot be reached: ${cause.message}`;
          reject(new InputError(message, { cause }));
        }
      });
      request.end();
    });
  }
}

/** Where an answer's bytes begin (null where it has none) and the whole file's size; null where the answer does not say that. */
function partOf({ statusCode, headers }: IncomingMessage) {
  const [, start, size] = /^bytes (?:(\d+)-\d+|\*)\/(\d{1,15})$/.exec(headers["content-range"] ?? "") ?? [];
  if (statusCode === 200 || size === undefined) return null;
  return { start: start === undefined ? null : Number(start), size: Number(size) };
}

/** What the server says about which version of the file it is. */
const versionOf = ({ headers }: IncomingMessage): string =>
  headers.etag ?? headers["last-modified"] ?? "no ETag and no modification time";

async function firstBytes(response: IncomingMessage): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of response as AsyncIterable<Uint8Array>) {
    parts.push(part);
    // Two bytes were asked for; a server that sends on and on is cut off.
    if (parts.length > 16) break;
  }
  return Buffer.concat(parts).subarray(0, 2);
}

/** A URL for messages: what may be secret in it stays out. */
function shownName(text: string): string {
  if (!URL.canParse(text)) return text;
  const url = new URL(text);
  return url.host === "" ? text : `${url.protocol}//${url.host}${url.pathname}`;
}
