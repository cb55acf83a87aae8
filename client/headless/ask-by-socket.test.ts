import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { systemClock } from "../../shared/clock.ts";
import { take } from "../node/byte-stream.ts";
import type { Ask } from "../transport/answer.ts";
import { Download } from "../transport/download.ts";
import { askBySocket } from "./ask-by-socket.ts";

const CONTENT = Uint8Array.from({ length: 3_000_000 }, (_, index) => (index * 7) % 251);
const never = new AbortController().signal;
const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

type Answer = (response: ServerResponse, part: Uint8Array, request: IncomingMessage) => void;

/** Serves ranges of the content; request number `n` is answered by `answers[n]`, later ones in full. */
async function serve(...answers: readonly Answer[]) {
  const seen = { requests: [] as string[], connections: 0 };
  const server = createServer((request, response) => {
    const answer = answers[seen.requests.length];
    seen.requests.push(`${request.url} ${request.headers.range} ${request.headers.authorization}`);
    const [, start = "0", last = ""] = /bytes=(\d+)-(\d*)/.exec(request.headers.range ?? "") ?? [];
    const part = CONTENT.subarray(Number(start), Number(last) + 1);
    response.statusCode = 206;
    response.setHeader("Content-Length", part.byteLength);
    if (answer === undefined) response.end(part);
    else answer(response, part, request);
  }).listen(0, "127.0.0.1");
  server.on("connection", () => seen.connections++);
  await once(server, "listening");
  stops.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const otherwise: Ask = () => Promise.reject(new Error("asked otherwise"));
  const transfer = {
    ask: askBySocket(otherwise),
    clock: { ...systemClock, after: (ms: number, act: () => void) => systemClock.after(Math.min(ms, 1_000) / 10, act) },
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/source`,
    headers: { Authorization: "Bearer S" },
  };
  const open = (start: number, end: number, signal = never) => new Download(transfer, { start, end }, signal, "full");
  return { seen, open };
}

const read = async (stream: Download, bytes: number): Promise<boolean> => {
  const got = await take(stream, bytes);
  stream.close();
  return got.byteLength === bytes && Buffer.compare(got, CONTENT.subarray(0, bytes)) === 0;
};

test("ranges come exactly, one after the other over one connection", async () => {
  const { seen, open } = await serve();
  for (const bytes of [CONTENT.length, 1, 262_144, 1_048_577]) expect(await read(open(0, bytes), bytes)).toBe(true);
  expect(seen.connections).toBe(1);
  expect(seen.requests[1]).toBe("/source bytes=0-0 Bearer S");
});

test("head and body may come in any pieces", async () => {
  const dripping: Answer = (response, part) => {
    response.flushHeaders();
    let at = 0;
    const drip = (): void => {
      const piece = part.subarray(at, at + 37);
      at += 37;
      if (at < part.byteLength) response.write(piece, () => setImmediate(drip));
      else response.end(piece);
    };
    drip();
  };
  const { open } = await serve(dripping);
  expect(await read(open(0, 5_000), 5_000)).toBe(true);
});

test("bytes come into the reader's memory, and take no other", async () => {
  const { open } = await serve();
  const stream = open(0, CONTENT.length);
  let buffer = (await stream.next(new ArrayBuffer(100_000))).buffer;
  const before = process.memoryUsage().arrayBuffers;
  let received = buffer.byteLength;
  for (let piece = 1; piece > 0; received += piece) {
    const bytes = await stream.next(buffer);
    expect(Buffer.compare(bytes, CONTENT.subarray(received, received + bytes.byteLength))).toBe(0);
    expect(bytes.buffer).toBe(buffer);
    buffer = bytes.buffer;
    piece = bytes.byteLength;
  }
  expect(received).toBe(CONTENT.length);
  // What the server of this test makes is a part of what is sent.
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(300_000);
});

test("a connection on which more came than the answer is not used again", async () => {
  const chatty: Answer = (response, part) => {
    const head = `HTTP/1.1 206 Partial Content\r\nContent-Length: ${part.byteLength}\r\n\r\n`;
    response.socket?.write(Buffer.concat([Buffer.from(head), part, Buffer.from("HTTP/1.1 206")]));
  };
  const { seen, open } = await serve(chatty);
  expect(await read(open(0, 10), 10)).toBe(true);
  expect(await read(open(0, 10), 10)).toBe(true);
  expect(seen.connections).toBe(2);
});

test("a reader that pauses loses nothing", async () => {
  const { open } = await serve();
  const stream = open(0, CONTENT.length);
  const parts: Uint8Array[] = [];
  for (let bytes = 1; bytes > 0; bytes = parts.at(-1)?.byteLength ?? 0) {
    parts.push(await stream.next(new ArrayBuffer(400_000)));
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  expect(Buffer.compare(Buffer.concat(parts), CONTENT)).toBe(0);
});

test("a transfer that breaks is taken up where it broke", async () => {
  const breaks: Answer = (response, part) => {
    response.write(part.subarray(0, 1_200_000), () => response.socket?.end());
  };
  const { seen, open } = await serve(breaks, breaks);
  expect(await read(open(0, CONTENT.length), CONTENT.length)).toBe(true);
  expect(seen.connections).toBe(3);
});

test("a kept connection that the server has closed meanwhile costs no try", async () => {
  const closed = Promise.withResolvers<void>();
  const closing: Answer = (response, part, { socket }) => {
    socket.once("close", closed.resolve);
    response.end(part, () => setImmediate(() => socket.destroy()));
  };
  const { seen, open } = await serve(closing);
  expect(await read(open(0, 10), 10)).toBe(true);
  await closed.promise;
  expect(await read(open(0, 10), 10)).toBe(true);
  expect(seen.connections).toBe(2);
});

test("a refusal comes with the coordinator's own code, and is not repeated", async () => {
  const refuse: Answer = (response) => {
    const text = JSON.stringify({ error: { code: "UnknownSource", message: "gone" } });
    response.writeHead(404, { "Content-Length": text.length }).end(text);
  };
  const { seen, open } = await serve(refuse);
  await expect(open(0, 10).next(new ArrayBuffer(10))).rejects.toMatchObject({ code: "UnknownSource" });
  expect(seen.requests).toHaveLength(1);
});

test("an answer without a length is asked for in the other way", async () => {
  const chunked: Answer = (response, part) => {
    response.removeHeader("Content-Length");
    response.end(part);
  };
  const { open } = await serve(chunked, chunked, chunked);
  await expect(open(0, 10).next(new ArrayBuffer(10))).rejects.toThrow("asked otherwise");
});

test("a signal, and the end of a stream, close the connection", async () => {
  const gone: Promise<unknown>[] = [];
  const hanging: Answer = (response, part) => {
    gone.push(once(response, "close"));
    response.write(part.subarray(0, 10));
  };
  const { open } = await serve(hanging, hanging);
  const controller = new AbortController();
  const first = open(0, 100, controller.signal);
  const reading = first.next(new ArrayBuffer(100));
  await expect.poll(() => gone.length).toBe(1);
  controller.abort(new Error("revoked"));
  await expect(reading).rejects.toThrow("revoked");
  const second = open(0, 100);
  await second.next(new ArrayBuffer(10));
  second.close();
  await expect.poll(() => gone.length).toBe(2);
  await Promise.all(gone);
});
