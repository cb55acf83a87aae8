import { once } from "node:events";
import { createServer, get, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { sendBytes } from "./respond.ts";

const PATIENCE_MS = 100;
const PIECE = 2 ** 20;
const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

/** One piece of memory over and over, filled with the number of the piece: as a source that reads a file gives it. */
async function* pieces(count: number, state: { ended: boolean }, pause = 0): AsyncIterable<Uint8Array> {
  const piece = new Uint8Array(PIECE);
  try {
    for (let index = 0; index < count; index++) {
      if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause));
      yield piece.fill(index);
    }
  } finally {
    state.ended = true;
  }
}

async function serve(count: number, pause = 0) {
  const state = { ended: false };
  const ended = Promise.withResolvers<unknown>();
  const server = createServer((_request, response) => {
    const gone = new AbortController();
    response.once("close", () => gone.abort(new Error("The requester has gone")));
    sendBytes(response, pieces(count, state, pause), gone.signal, PATIENCE_MS).then(ended.resolve, ended.resolve);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  stops.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const [response] = (await once(get(url), "response")) as [IncomingMessage];
  stops.push(() => response.destroy());
  response.on("error", () => undefined);
  return { response, state, ended: ended.promise };
}

test("pieces that share memory arrive as they were", async () => {
  const { response } = await serve(9);
  const body = Buffer.concat(await response.toArray());
  expect(body).toHaveLength(9 * PIECE);
  for (let index = 0; index < 9; index++) {
    expect(body.subarray(index * PIECE, (index + 1) * PIECE).every((byte) => byte === index)).toBe(true);
  }
});

test("a source that takes longer than a reader may is waited for", async () => {
  const { response } = await serve(2, 3 * PATIENCE_MS);
  expect(Buffer.concat(await response.toArray())).toHaveLength(2 * PIECE);
});

test("a reader that never reads is dropped, and the source is closed", async () => {
  const { response, state, ended } = await serve(100);
  response.pause();
  expect(await ended).toBeInstanceOf(Error);
  expect(state.ended).toBe(true);
});

test("a reader that goes away closes the source", async () => {
  const { response, state, ended } = await serve(100);
  response.destroy();
  expect(await ended).toBeInstanceOf(Error);
  expect(state.ended).toBe(true);
});
