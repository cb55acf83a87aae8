import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { type BlobHash, blobHash, type ChunkKey, jobId, parseChunkKey } from "../../../shared/ids.ts";
import type { ChunkRef } from "../../../shared/protocol/messages.ts";
import { ManualClock } from "../../../shared/testing/manual-clock.ts";
import type { Incoming, Introduction, PeerChannel, PeerTransport } from "./channel.ts";
import { CONNECT_MS, PeerExchange, RECONNECT_MS, SHUN_MS } from "./exchange.ts";
import { STALL_MS } from "./link.ts";
import { deliverAll, FakeChannel } from "./testing/fake-channel.ts";
import { DATA_BYTES, decodePeerFrame, encodePeerFrame } from "./wire.ts";

const JOB = jobId("j-1");
const A = "a".repeat(32);
const B = "b".repeat(32);
const C = "c".repeat(32);
const hashOf = (bytes: Uint8Array): BlobHash => blobHash(createHash("sha256").update(bytes).digest("hex"));
const CONTENT = Uint8Array.from({ length: 500_000 }, (_, index) => (index * 31) % 251);
const KEY = parseChunkKey("j-1/0/0/0");
const { signal } = new AbortController();

const refTo = (holders: string[], more: Partial<ChunkRef> = {}): ChunkRef => ({
  key: KEY,
  bytes: CONTENT.byteLength,
  hash: hashOf(CONTENT),
  holders,
  ...more,
});

/** Lets everything happen that waits for promises alone. */
const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
};

/** Nodes that reach each other through this test: it plays the coordinator and the network. */
class World {
  readonly clock = new ManualClock();
  readonly held = new Map<string, Map<ChunkKey, Uint8Array>>();
  readonly dials: string[] = [];
  readonly offers: { readonly from: string; readonly to: string; readonly introduction: Introduction }[] = [];
  readonly channels: FakeChannel[] = [];
  readonly nodes = new Map<string, PeerExchange>();
  readonly listening: string[] = [];
  refuses = false;
  /** Peers that no connection comes to. */
  readonly deaf = new Set<string>();
  readonly #incoming = new Map<string, Incoming>();

  node(id: string): PeerExchange {
    const own = new Map<ChunkKey, Uint8Array>();
    this.held.set(id, own);
    const exchange: PeerExchange = new PeerExchange({
      clock: this.clock,
      open: (_identity, incoming) => this.#transport(id, incoming),
      dial: (job, peer) => {
        this.dials.push(`${id.slice(0, 1)}${peer.slice(0, 1)}`);
        queueMicrotask(() => exchange.ticket(job, peer, this.refuses ? null : "ticket"));
      },
      held: (key, hash) => {
        const bytes = own.get(key);
        return bytes !== undefined && hash === hashOf(CONTENT) ? bytes : undefined;
      },
      sent: () => {},
    });
    exchange.join({ id, token: "token" });
    this.nodes.set(id, exchange);
    return exchange;
  }

  #transport(from: string, incoming: Incoming): PeerTransport {
    this.#incoming.set(from, incoming);
    return {
      listen: () => this.listening.push(from),
      connect: (to, introduction, stop) => {
        this.offers.push({ from, to, introduction });
        const { promise, resolve, reject } = Promise.withResolvers<PeerChannel>();
        stop.addEventListener("abort", () => reject(stop.reason as Error));
        this.nodes.get(to)?.listen();
        const accept = this.#incoming.get(to);
        if (accept !== undefined && !this.deaf.has(to)) {
          const [near, far] = FakeChannel.pair();
          this.channels.push(near, far);
          accept(from, introduction.job, far);
          resolve(near);
        }
        return promise;
      },
      close: () => {},
    };
  }

  async run(): Promise<void> {
    for (let turn = 0; turn < 5; turn++) {
      await settle();
      deliverAll(...this.channels);
    }
  }
}

test("a chunk comes from its holder, over one connection however many are fetched", async () => {
  const world = new World();
  const reader = world.node(A);
  world.node(B);
  world.held.get(B)?.set(KEY, CONTENT);
  const fetches = [reader.fetch(refTo([B]), signal), reader.fetch(refTo([B]), signal)];
  await world.run();
  for (const fetch of await Promise.all(fetches)) {
    if (!fetch.complete) throw new Error("it did not come");
    expect(Buffer.from(fetch.bytes).equals(CONTENT)).toBe(true);
  }
  expect(world.dials).toEqual(["ab"]);
  expect(world.offers).toEqual([{ from: A, to: B, introduction: { job: JOB, ticket: "ticket" } }]);
  expect(world.listening).toContain(B);
});

test("the holder uses the connection that it was called by", async () => {
  const world = new World();
  const [one, two] = [world.node(A), world.node(B)];
  for (const id of [A, B]) world.held.get(id)?.set(KEY, CONTENT);
  const there = one.fetch(refTo([B]), signal);
  await world.run();
  const back = two.fetch(refTo([A]), signal);
  await world.run();
  expect([(await there).complete, (await back).complete]).toEqual([true, true]);
  expect(world.dials).toEqual(["ab"]);
});

test("a connection gives nothing of another job", async () => {
  const world = new World();
  const reader = world.node(A);
  world.node(B);
  const other = parseChunkKey("j-2/0/0/0");
  world.held.get(B)?.set(KEY, CONTENT).set(other, CONTENT);
  const own = reader.fetch(refTo([B]), signal);
  await world.run();
  expect((await own).complete).toBe(true);
  const [near, far] = world.channels;
  far?.inject(encodePeerFrame({ kind: "request", transfer: 77, key: other, hash: hashOf(CONTENT), offset: 0 }));
  expect(decodePeerFrame(far?.sent.at(-1) ?? new Uint8Array())).toMatchObject({ kind: "refused", reason: "missing" });
  near?.close();
});

test("without a way to any peer the relay gets it within five seconds, and others are not tried for a while", async () => {
  const world = new World();
  const reader = world.node(A);
  for (const id of [B, C]) {
    world.node(id);
    world.deaf.add(id);
  }
  const fetch = reader.fetch(refTo([B, C]), signal);
  await world.run();
  world.clock.advance(CONNECT_MS);
  expect(await fetch).toEqual({ complete: false, start: new Uint8Array(0) });
  // It has never reached anybody, so C is not tried either.
  expect(await reader.fetch(refTo([C]), signal)).toMatchObject({ complete: false });
  expect(world.dials).toEqual(["ab"]);
  world.deaf.clear();
  world.clock.advance(SHUN_MS);
  world.held.get(C)?.set(KEY, CONTENT);
  const later = reader.fetch(refTo([C]), signal);
  await world.run();
  expect((await later).complete).toBe(true);
});

test("a peer that cannot be reached does not keep it from another that can", async () => {
  const world = new World();
  const reader = world.node(A);
  world.node(B);
  world.node(C);
  for (const id of [B, C]) world.held.get(id)?.set(KEY, CONTENT);
  const first = reader.fetch(refTo([C]), signal);
  await world.run();
  expect((await first).complete).toBe(true);
  world.deaf.add(B);
  const fetch = reader.fetch(refTo([B, C]), signal);
  await world.run();
  world.clock.advance(CONNECT_MS);
  await world.run();
  // All its time for connecting is used up, but the connection to C is there.
  expect(await fetch).toMatchObject({ complete: false });
  const again = reader.fetch(refTo([B, C]), signal);
  await world.run();
  expect((await again).complete).toBe(true);
});

test("a coordinator that gives no ticket is answered by the relay at once, and blocks nobody else", async () => {
  const world = new World();
  const reader = world.node(A);
  world.node(B);
  world.node(C);
  world.held.get(C)?.set(KEY, CONTENT);
  world.refuses = true;
  expect(await reader.fetch(refTo([B]), signal)).toMatchObject({ complete: false });
  expect(world.offers).toEqual([]);
  world.refuses = false;
  const fetch = reader.fetch(refTo([C]), signal);
  await world.run();
  expect((await fetch).complete).toBe(true);
});

test("wrong bytes are thrown away and their peer is not asked again", async () => {
  const world = new World();
  const reader = world.node(A);
  world.node(B);
  const wrong = CONTENT.slice();
  wrong[400_000] = 255;
  world.held.get(B)?.set(KEY, wrong);
  const fetch = reader.fetch(refTo([B]), signal);
  await world.run();
  expect(await fetch).toEqual({ complete: false, start: new Uint8Array(0) });
  expect(await reader.fetch(refTo([B]), signal)).toMatchObject({ complete: false });
  expect(world.dials).toEqual(["ab"]);
});

test("after a break in the middle it connects anew and takes up the rest", async () => {
  const world = new World();
  const reader = world.node(A);
  world.node(B);
  world.held.get(B)?.set(KEY, CONTENT);
  const fetch = reader.fetch(refTo([B]), signal);
  await settle();
  const [near, far] = world.channels;
  near?.deliver();
  far?.deliver(4);
  far?.close();
  await world.run();
  expect((await fetch).complete).toBe(true);
  expect(world.dials).toEqual(["ab", "ab"]);
  const again = world.channels[3]?.sent.filter((frame) => frame[0] === 3).length;
  expect(again).toBe(Math.ceil((CONTENT.byteLength - 3 * DATA_BYTES) / DATA_BYTES));
});

test("after a break in the middle of one chunk, others that had not begun come over the new connection too", async () => {
  const world = new World();
  const reader = world.node(A);
  world.node(B);
  world.held.get(B)?.set(KEY, CONTENT);
  const first = reader.fetch(refTo([B]), signal);
  await settle();
  const [near, far] = world.channels;
  near?.deliver();
  far?.deliver(4);
  const second = reader.fetch(refTo([B]), signal);
  await settle();
  far?.close();
  await world.run();
  expect([(await first).complete, (await second).complete]).toEqual([true, true]);
  expect(world.dials).toEqual(["ab", "ab"]);
});

test("a peer that dies in the middle leaves the rest to the relay within five seconds", async () => {
  const world = new World();
  const reader = world.node(A);
  world.node(B);
  world.held.get(B)?.set(KEY, CONTENT);
  const fetch = reader.fetch(refTo([B]), signal);
  await settle();
  const [near, far] = world.channels;
  near?.deliver();
  far?.deliver(4);
  world.deaf.add(B);
  world.clock.advance(STALL_MS);
  await settle();
  world.clock.advance(RECONNECT_MS);
  const { complete, ...rest } = await fetch;
  expect(complete).toBe(false);
  expect(rest).toEqual({ start: CONTENT.slice(0, 3 * DATA_BYTES) });
  expect(STALL_MS + RECONNECT_MS).toBeLessThanOrEqual(5_000);
});

test("the end of a job ends its connections", async () => {
  const world = new World();
  const reader = world.node(A);
  world.node(B);
  world.held.get(B)?.set(KEY, CONTENT);
  const fetch = reader.fetch(refTo([B]), signal);
  await world.run();
  expect((await fetch).complete).toBe(true);
  reader.forget(jobId("j-2"));
  expect(world.channels.every(({ isClosed }) => isClosed)).toBe(false);
  reader.forget(JOB);
  expect(world.channels.every(({ isClosed }) => isClosed)).toBe(true);
});

test("a node without an identity asks nobody", async () => {
  const world = new World();
  const reader = world.node(A);
  reader.join(undefined);
  expect(await reader.fetch(refTo([B]), signal)).toMatchObject({ complete: false });
  expect(world.dials).toEqual([]);
});

test("a revoked fetch rejects with the reason", async () => {
  const world = new World();
  const reader = world.node(A);
  world.node(B);
  world.held.get(B)?.set(KEY, CONTENT);
  const controller = new AbortController();
  const fetch = reader.fetch(refTo([B]), controller.signal);
  await settle();
  controller.abort(new Error("revoked"));
  await expect(fetch).rejects.toThrow("revoked");
});
