import { expect, test } from "vitest";
import { blobHash, type ChunkKey, parseChunkKey } from "../../../shared/ids.ts";
import { ManualClock } from "../../../shared/testing/manual-clock.ts";
import { type FetchEnd, IDLE_MS, PeerLink, STALL_MS } from "./link.ts";
import { PartialChunk } from "./partial-chunk.ts";
import { deliverAll, FakeChannel, MOST_WAITING } from "./testing/fake-channel.ts";
import { DATA_BYTES, decodePeerFrame, encodePeerFrame } from "./wire.ts";

const HASH = blobHash("0f".repeat(32));
const KEY = parseChunkKey("j-1/0/0/0");
const OTHER_KEY = parseChunkKey("j-1/0/1/0");
const bytesOf = (length: number, seed = 1): Uint8Array =>
  Uint8Array.from({ length }, (_, index) => (index * 31 + seed * 7) % 251);

interface Setup {
  readonly clock: ManualClock;
  readonly held: Map<ChunkKey, Uint8Array>;
  readonly reader: PeerLink;
  readonly holder: PeerLink;
  /** The ends: what the reader sends, and what the holder does. */
  readonly asking: FakeChannel;
  readonly giving: FakeChannel;
  sent: number;
  closed: number;
}

function setup(): Setup {
  const clock = new ManualClock();
  const held = new Map<ChunkKey, Uint8Array>();
  const [asking, giving] = FakeChannel.pair();
  const counts = { sent: 0, closed: 0 };
  const link = (channel: FakeChannel): PeerLink =>
    new PeerLink({
      channel,
      clock,
      serve: (key, hash) => (hash === HASH ? held.get(key) : undefined),
      sent: (bytes) => {
        counts.sent += bytes;
      },
      closed: () => {
        counts.closed++;
      },
    });
  return Object.assign(counts, { clock, held, asking, giving, reader: link(asking), holder: link(giving) });
}

const { signal } = new AbortController();
/** The end of a transfer that must be over by now. */
async function ended(fetch: Promise<FetchEnd>): Promise<FetchEnd | "under way"> {
  const turn = new Promise<"under way">((resolve) => setImmediate(() => resolve("under way")));
  return Promise.race([fetch, turn]);
}

test.each([1, DATA_BYTES, DATA_BYTES + 1, 3_000_000])("a chunk of %i bytes arrives whole", async (length) => {
  const { held, reader, asking, giving } = setup();
  held.set(KEY, bytesOf(length));
  const chunk = new PartialChunk(length);
  const fetch = reader.fetch(KEY, HASH, chunk, signal);
  deliverAll(asking, giving);
  expect(await ended(fetch)).toBe("complete");
  expect(Buffer.from(chunk.bytes).equals(bytesOf(length))).toBe(true);
});

test("an empty chunk needs no transfer", async () => {
  const { reader, asking } = setup();
  expect(await reader.fetch(KEY, HASH, new PartialChunk(0), signal)).toBe("complete");
  expect(asking.sent).toEqual([]);
});

test("both ends may ask over the one connection", async () => {
  const { held, reader, holder, asking, giving } = setup();
  held.set(KEY, bytesOf(100)).set(OTHER_KEY, bytesOf(200));
  const [one, two] = [new PartialChunk(100), new PartialChunk(200)];
  const fetches = [reader.fetch(KEY, HASH, one, signal), holder.fetch(OTHER_KEY, HASH, two, signal)];
  deliverAll(asking, giving);
  expect(await Promise.all(fetches.map(ended))).toEqual(["complete", "complete"]);
  expect([one.received, two.received]).toEqual([100, 200]);
});

test("the sender lets no more wait than the mark, and transfers take turns", async () => {
  const setting = setup();
  const { held, reader, asking, giving } = setting;
  held.set(KEY, bytesOf(5_000_000)).set(OTHER_KEY, bytesOf(100_000));
  const large = reader.fetch(KEY, HASH, new PartialChunk(5_000_000), signal);
  const small = reader.fetch(OTHER_KEY, HASH, new PartialChunk(100_000), signal);
  asking.deliver();
  // Of the first some frames lie in the buffer already; then one of each is sent in turn.
  giving.deliver(24);
  expect(await ended(small)).toBe("complete");
  expect(await ended(large)).toBe("under way");
  deliverAll(asking, giving);
  expect(await ended(large)).toBe("complete");
  expect(giving.most).toBeLessThanOrEqual(MOST_WAITING);
  expect(setting.sent).toBe(5_100_000);
});

test("a transfer that broke goes on over another connection where it broke", async () => {
  const first = setup();
  first.held.set(KEY, bytesOf(1_000_000));
  const chunk = new PartialChunk(1_000_000);
  const broken = first.reader.fetch(KEY, HASH, chunk, signal);
  first.asking.deliver();
  first.giving.deliver(5);
  first.giving.close();
  expect(await ended(broken)).toBe("broken");
  expect(chunk.received).toBe(4 * DATA_BYTES);

  const second = setup();
  second.held.set(KEY, bytesOf(1_000_000));
  const resumed = second.reader.fetch(KEY, HASH, chunk, signal);
  deliverAll(second.asking, second.giving);
  expect(await ended(resumed)).toBe("complete");
  expect(second.sent).toBe(1_000_000 - 4 * DATA_BYTES);
  expect(Buffer.from(chunk.bytes).equals(bytesOf(1_000_000))).toBe(true);
});

test("a peer that is gone without a word is noticed by its silence", async () => {
  const { clock, held, reader, asking, giving } = setup();
  held.set(KEY, bytesOf(1_000_000));
  const fetch = reader.fetch(KEY, HASH, new PartialChunk(1_000_000), signal);
  asking.deliver();
  clock.advance(STALL_MS - 1);
  giving.deliver(3);
  clock.advance(STALL_MS - 1);
  expect(await ended(fetch)).toBe("under way");
  clock.advance(2);
  expect(await ended(fetch)).toBe("broken");
});

test("what the holder has not is refused, and so is a start behind its end", async () => {
  const { held, reader, asking, giving } = setup();
  const missing = reader.fetch(KEY, HASH, new PartialChunk(10), signal);
  deliverAll(asking, giving);
  expect(await ended(missing)).toBe("refused");

  held.set(KEY, bytesOf(10));
  const longer = new PartialChunk(20);
  longer.append(new Uint8Array(15));
  const behind = reader.fetch(KEY, HASH, longer, signal);
  deliverAll(asking, giving);
  expect(await ended(behind)).toBe("refused");
  expect(decodePeerFrame(giving.sent.at(-1) ?? new Uint8Array())).toMatchObject({ reason: "offset" });
});

test("a chunk of another length than was journalled is not taken", async () => {
  const { held, reader, asking, giving } = setup();
  held.set(KEY, bytesOf(11));
  const chunk = new PartialChunk(10);
  const fetch = reader.fetch(KEY, HASH, chunk, signal);
  deliverAll(asking, giving);
  expect(await ended(fetch)).toBe("refused");
  expect(chunk.received).toBe(0);
  expect(asking.isClosed).toBe(false);
});

test("more bytes than the chunk has close the connection", async () => {
  const { reader, asking } = setup();
  const fetch = reader.fetch(KEY, HASH, new PartialChunk(10), signal);
  asking.inject(encodePeerFrame({ kind: "data", transfer: 1, bytes: new Uint8Array(11) }));
  expect(await ended(fetch)).toBe("broken");
  expect(asking.isClosed).toBe(true);
});

test.each<[string, Uint8Array]>([
  ["a frame that is none", Uint8Array.of(9, 9, 9, 9, 9)],
  ["data that nobody asked for", encodePeerFrame({ kind: "data", transfer: 2, bytes: Uint8Array.of(1) })],
])("%s closes the connection", (_, frame) => {
  const { reader, asking } = setup();
  void reader.fetch(KEY, HASH, new PartialChunk(10), signal);
  asking.inject(frame);
  expect(asking.isClosed).toBe(true);
  expect(reader.isClosed).toBe(true);
});

test("a requester with more transfers than the limit is dropped", () => {
  const { held, reader, asking, giving } = setup();
  held.set(KEY, bytesOf(3_000_000));
  for (let count = 0; count < 65; count++) void reader.fetch(KEY, HASH, new PartialChunk(3_000_000), signal);
  asking.deliver();
  expect(giving.isClosed).toBe(true);
});

test("an aborted transfer rejects with the reason and ends at the holder too", async () => {
  const { held, reader, asking, giving } = setup();
  held.set(KEY, bytesOf(3_000_000));
  const controller = new AbortController();
  const fetch = reader.fetch(KEY, HASH, new PartialChunk(3_000_000), controller.signal);
  asking.deliver();
  giving.deliver(2);
  controller.abort(new Error("revoked"));
  await expect(fetch).rejects.toThrow("revoked");
  asking.deliver();
  const before = giving.sent.length;
  deliverAll(asking, giving);
  // What was under way arrives and is dropped; nothing new is sent, and the connection lives on.
  expect(giving.sent).toHaveLength(before);
  expect(asking.isClosed).toBe(false);
});

test("a connection without transfers is closed after a while, never one with a transfer", async () => {
  const setting = setup();
  const { clock, held, reader, asking, giving } = setting;
  held.set(KEY, bytesOf(10));
  clock.advance(IDLE_MS - 1);
  const fetch = reader.fetch(KEY, HASH, new PartialChunk(10), signal);
  deliverAll(asking, giving);
  expect(await ended(fetch)).toBe("complete");
  clock.advance(IDLE_MS - 1);
  expect(setting.closed).toBe(0);
  clock.advance(1);
  expect(setting.closed).toBe(2);
  expect(await reader.fetch(KEY, HASH, new PartialChunk(10), signal)).toBe("broken");
  expect(clock.next()).toBeUndefined();
});
