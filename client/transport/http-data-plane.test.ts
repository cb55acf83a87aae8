import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test, vi } from "vitest";
import type { Clock } from "../../shared/clock.ts";
import { sha256Hex } from "../../shared/hash.ts";
import { blobHash, jobId, parseChunkKey } from "../../shared/ids.ts";
import type { ChunkRef } from "../../shared/protocol/messages.ts";
import { ManualClock } from "../../shared/testing/manual-clock.ts";
import { take } from "../node/byte-stream.ts";
import { createHttpDataPlane } from "./http-data-plane.ts";

const CONTENT = Uint8Array.from({ length: 1_000_000 }, (_, index) => (index * 7) % 251);
const HASH = blobHash(await sha256Hex(CONTENT));
const CHUNK: ChunkRef = { key: parseChunkKey("a/0/0/0"), bytes: CONTENT.byteLength, hash: HASH };
const SOURCE = { ordinal: 3, name: "in.csv", bytes: CONTENT.byteLength };
const never = new AbortController().signal;

/** Waits pass at once; limits of patience never come. */
const impatient: Clock = {
  now: () => 0,
  after(ms, callback) {
    if (ms < 5_000) queueMicrotask(callback);
    return () => {};
  },
};

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

type Answer = (response: ServerResponse, part: Uint8Array, request: IncomingMessage) => void;

/** Serves ranges of the content; answer number `n` is given by `answers[n]`, later ones in full. */
async function serve(answers: readonly Answer[] = [], clock: Clock = impatient) {
  const ranges: string[] = [];
  const server = createServer((request, response) => {
    const answer = answers[ranges.length];
    ranges.push(`${request.url} ${request.headers.range ?? "whole"} ${request.headers.authorization}`);
    const [, start = "0", last = ""] = /bytes=(\d+)-(\d*)/.exec(request.headers.range ?? "") ?? [];
    const part = CONTENT.subarray(Number(start), last === "" ? undefined : Number(last) + 1);
    response.statusCode = request.headers.range === undefined ? 200 : 206;
    response.setHeader("Content-Length", part.byteLength);
    if (answer === undefined) response.end(part);
    else answer(response, part, request);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  stops.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, plane: createHttpDataPlane({ url, secret: "S", clock }), ranges };
}

const breakAfter =
  (bytes: number): Answer =>
  (response, part) => {
    response.write(part.subarray(0, bytes), () => response.socket?.end());
  };
const refuse =
  (status: number, code: string): Answer =>
  (response) => {
    response.removeHeader("Content-Length");
    response.writeHead(status).end(JSON.stringify({ error: { code, message: `because ${code}` } }));
  };

test("bundles, chunks and ranges of sources come as they are, with the node's secret", async () => {
  const { plane, ranges } = await serve();
  expect(Buffer.compare(await plane.bundle(HASH, never), CONTENT)).toBe(0);
  const chunk = await plane.chunk(CHUNK, never);
  expect("encoded" in chunk && Buffer.compare(chunk.encoded, CONTENT)).toBe(0);
  const stream = plane.read(jobId("j-1"), SOURCE, 1000, 2000, never);
  expect(Buffer.compare(await stream.next(new ArrayBuffer(600)), CONTENT.subarray(1000, 1600))).toBe(0);
  expect(Buffer.compare(await stream.next(new ArrayBuffer(600)), CONTENT.subarray(1600, 2000))).toBe(0);
  expect(await stream.next(new ArrayBuffer(600))).toHaveLength(0);
  expect(await plane.read(jobId("j-1"), SOURCE, 5, 5, never).next(new ArrayBuffer(1))).toHaveLength(0);
  expect(ranges).toEqual([
    `/api/blobs/${HASH} whole Bearer S`,
    `/api/blobs/${HASH} bytes=0-999999 Bearer S`,
    "/api/jobs/j-1/sources/3 bytes=1000-1999 Bearer S",
  ]);
});

test("a chunk that came inline, or is empty, needs no request", async () => {
  const { plane, ranges } = await serve();
  const inline = Uint8Array.of(1, 2);
  expect(await plane.chunk({ ...CHUNK, bytes: 2, inline }, never)).toEqual({ encoded: inline });
  const empty = { ...CHUNK, bytes: 0, hash: blobHash(await sha256Hex(new Uint8Array(0))) };
  expect(await plane.chunk(empty, never)).toEqual({ encoded: new Uint8Array(0) });
  expect(ranges).toEqual([]);
});

test("a transfer that breaks is taken up where it broke, however often it moves on", async () => {
  const { plane, ranges } = await serve(Array.from({ length: 8 }, () => breakAfter(100_000)));
  const chunk = await plane.chunk(CHUNK, never);
  expect("encoded" in chunk && Buffer.compare(chunk.encoded, CONTENT)).toBe(0);
  expect(ranges).toHaveLength(9);
  const starts = ranges.map((range) => Number(/bytes=(\d+)/.exec(range)?.[1]));
  expect(starts[0]).toBe(0);
  for (const [index, start] of starts.slice(1).entries()) expect(start).toBeGreaterThan(starts[index] ?? 0);
});

test("a source whose connection breaks again and again is read on where each broke", async () => {
  const { plane, ranges } = await serve(Array.from({ length: 6 }, () => breakAfter(100_000)));
  const stream = plane.read(jobId("j-1"), SOURCE, 0, CONTENT.byteLength, never);
  expect(Buffer.compare(await take(stream, CONTENT.byteLength), CONTENT)).toBe(0);
  expect(ranges.length).toBeGreaterThan(6);
});

test("a reader that pauses is not taken for a silent connection; one that ends lets it go", async () => {
  const clock = new ManualClock();
  const gone = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  const slow: Answer = (response, part) => {
    response.once("close", gone.resolve);
    response.write(part.subarray(0, 2_000));
    void goOn.promise.then(() => response.write(part.subarray(2_000, 5_000)));
  };
  const { plane, ranges } = await serve([slow], clock);
  const stream = plane.read(jobId("j-1"), SOURCE, 0, CONTENT.byteLength, never);
  expect(await stream.next(new ArrayBuffer(2_000))).toHaveLength(2_000);
  while (clock.step());
  goOn.resolve();
  expect(await stream.next(new ArrayBuffer(3_000))).toHaveLength(3_000);
  expect(ranges).toHaveLength(1);
  stream.close();
  await gone.promise;
});

test("where the browser cannot read into given memory, its own is copied", async () => {
  const plain = (input: string, init?: RequestInit): Promise<Response> => fetch(input, init).then(withoutByob);
  const { url, ranges } = await serve([breakAfter(100_000), breakAfter(100_000)]);
  const plane = createHttpDataPlane({ url, secret: "S", clock: impatient, fetch: plain });
  const chunk = await plane.chunk(CHUNK, never);
  expect("encoded" in chunk && Buffer.compare(chunk.encoded, CONTENT)).toBe(0);
  expect(ranges).toHaveLength(3);
  const source = plane.read(jobId("j-1"), SOURCE, 7, 300_000, never);
  expect(Buffer.compare(await take(source, 299_993), CONTENT.subarray(7, 300_000))).toBe(0);
});

/** The response as a browser gives it whose bodies are no byte streams. */
function withoutByob({ body, status, headers }: Response): Response {
  const plain = body?.pipeThrough(new TransformStream<Uint8Array, Uint8Array>());
  const response = new Response(plain ?? null, { status, headers });
  Object.defineProperty(response, "body", { value: plain ?? null });
  return response;
}

test("what came by another way is not asked for again", async () => {
  const { plane, ranges } = await serve();
  const rest = await plane.chunk(CHUNK, never, CONTENT.subarray(0, 600_000));
  expect("encoded" in rest && Buffer.compare(rest.encoded, CONTENT)).toBe(0);
  const nothing = await plane.chunk(CHUNK, never, CONTENT);
  expect("encoded" in nothing && Buffer.compare(nothing.encoded, CONTENT)).toBe(0);
  expect(ranges).toEqual([`/api/blobs/${HASH} bytes=600000-999999 Bearer S`]);
});

test("a start with other bytes than the hash promises is not passed on", async () => {
  const { plane } = await serve();
  const wrong = CONTENT.slice(0, 600_000).fill(0, 0, 1_000);
  await expect(plane.chunk(CHUNK, never, wrong)).rejects.toMatchObject({ code: "InputUnavailable", retryable: true });
});

test("without any progress it gives up, retryably", async () => {
  const { plane, ranges } = await serve(
    Array.from({ length: 9 }, () => (response: ServerResponse) => response.destroy()),
  );
  await expect(plane.chunk(CHUNK, never)).rejects.toMatchObject({ code: "InputUnavailable", retryable: true });
  expect(ranges).toHaveLength(3);
  await expect(plane.read(jobId("j-1"), SOURCE, 0, 9, never).next(new ArrayBuffer(9))).rejects.toMatchObject({
    code: "SourceUnavailable",
    retryable: true,
    message: expect.stringContaining("in.csv") as string,
  });
});

test("what the coordinator refuses is not asked again", async () => {
  const { plane, ranges } = await serve([refuse(404, "BlobMissing"), refuse(401, "Unauthorized")]);
  for (const code of ["BlobMissing", "Unauthorized"]) {
    await expect(plane.bundle(HASH, never)).rejects.toMatchObject({
      code: "InputUnavailable",
      message: expect.stringContaining(`because ${code}`) as string,
    });
  }
  expect(ranges).toHaveLength(2);
});

test("other bytes than the hash promises are not passed on", async () => {
  const wrong: Answer = (response, part) => response.end(part.map((byte) => byte ^ 1));
  const { plane } = await serve([wrong, wrong]);
  await expect(plane.chunk(CHUNK, never)).rejects.toMatchObject({ code: "InputUnavailable" });
  await expect(plane.bundle(HASH, never)).rejects.toThrow("its bytes have the hash");
});

test("more or fewer bytes than promised are not passed on", async () => {
  const { plane } = await serve();
  for (const bytes of [CONTENT.byteLength - 1, CONTENT.byteLength + 1]) {
    await expect(plane.chunk({ ...CHUNK, bytes }, never)).rejects.toMatchObject({ code: "InputUnavailable" });
  }
});

test("a signal ends a transfer with its own reason", async () => {
  const controller = new AbortController();
  const { plane } = await serve([
    (response, part) => response.write(part.subarray(0, 10), () => controller.abort(new Error("revoked"))),
  ]);
  await expect(plane.chunk(CHUNK, controller.signal)).rejects.toThrow("revoked");
});

test("a connection that falls silent counts as broken", async () => {
  const clock = new ManualClock();
  const answered = Promise.withResolvers<void>();
  const silent: Answer = (response, part) => response.write(part.subarray(0, 10), () => answered.resolve());
  const { plane, ranges } = await serve([silent], clock);
  const reading = plane.chunk(CHUNK, never);
  await answered.promise;
  // First its patience ends, then the wait before the next try.
  for (let step = 0; step < 2; step++) await vi.waitFor(() => expect(clock.step()).toBe(true));
  const chunk = await reading;
  expect("encoded" in chunk && Buffer.compare(chunk.encoded, CONTENT)).toBe(0);
  expect(ranges).toHaveLength(2);
});

test("a held chunk is put under its hash; a refusal is told with its code", async () => {
  const bodies: number[] = [];
  const take: Answer = (response, _part, request) => {
    response.removeHeader("Content-Length");
    let bytes = 0;
    request.on("data", (part: Buffer) => {
      bytes += part.byteLength;
    });
    request.on("end", () => {
      bodies.push(bytes);
      response.writeHead(bodies.length === 1 ? 201 : 200).end("{}");
    });
  };
  const { plane, ranges } = await serve([take, take, refuse(507, "StorageFull")]);
  const held = { key: CHUNK.key, bytes: CHUNK.bytes, hash: HASH };
  // 201: it is kept; 200: only passed on.
  expect(await plane.upload(held, { encoded: CONTENT }, never)).toBe(true);
  expect(await plane.upload(held, { encoded: CONTENT }, never)).toBe(false);
  expect(bodies).toEqual([CONTENT.byteLength, CONTENT.byteLength]);
  expect(ranges).toEqual(Array(2).fill(`/api/blobs/${HASH} whole Bearer S`));
  await expect(plane.upload(held, { encoded: CONTENT.subarray(0, 5) }, never)).rejects.toMatchObject({
    code: "StorageFull",
    retryable: true,
  });
  await expect(plane.upload(held, { value: 1 }, never)).rejects.toMatchObject({ code: "BadChunk" });
});
