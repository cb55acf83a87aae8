import { expect, test } from "vitest";
import { type ByteStream, PIECE_BYTES } from "../node/byte-stream.ts";
import { pumpSource } from "../node/source-pump.ts";
import { streamOfBytes } from "../node/testing/byte-streams.ts";
import { KEPT_BYTES, readAhead, SINGLE_BYTES } from "./read-ahead.ts";
import { piecesOfPort, piecesOfStream, type SourcePieces } from "./source-pieces.ts";

const MIB = 1024 * 1024;
const LITTLE = 16 * MIB;
const PLENTY = 1024 * MIB;

/** What the reader wants, and what its node asks for. */
type Request = [kind: "wanted" | "request", start: number, end: number];

/**
 * A source of `bytes` bytes whose byte at i is i mod 251, read as a worker reads it in pieces of at most `pieceBytes`, with the requests that
 * were made of it.
 */
function source(bytes: number, memoryBytes = PLENTY, pieceBytes = PIECE_BYTES) {
  const content = new Uint8Array(bytes);
  for (let index = 0; index < bytes; index++) content[index] = index % 251;
  const requests: Request[] = [];
  const pumps: Promise<void>[] = [];
  const open = (expected?: { start: number; end: number }) =>
    readAhead(
      { ordinal: 0, name: "data.csv", bytes },
      (start, end) => {
        requests.push(["wanted", start, end]);
        const { port1, port2 } = new MessageChannel();
        const request = (from: number, to: number) => {
          requests.push(["request", from, to]);
          return shortly(streamOfBytes(content.subarray(from, to)), pieceBytes);
        };
        pumps.push(pumpSource(port2, request, { start, end, memoryBytes }));
        return piecesOfPort(port1);
      },
      expected && { source: 0, ...expected },
    );
  return { content, requests, open, ended: () => Promise.all(pumps) };
}

/** The stream in pieces that fill no more than so many bytes of their memory. */
function shortly(stream: ByteStream, most: number): ByteStream {
  return {
    ...stream,
    async next(buffer) {
      const part = await stream.next(new ArrayBuffer(Math.min(most, buffer.byteLength)));
      const piece = new Uint8Array(buffer, 0, part.byteLength);
      piece.set(part);
      return piece;
    },
  };
}

test.each([
  ["much", PLENTY, 16],
  ["little", LITTLE, KEPT_BYTES / PIECE_BYTES],
])("a range is read through large requests, and not past its end, with %s memory", async (_, memory, pieces) => {
  const end = 50 * MIB;
  const { content, requests, open, ended } = source(60 * MIB, memory);
  const reader = open({ start: 3, end });
  const buffer = new Uint8Array(MIB + 7);
  for (let at = 3; at < end; at += buffer.byteLength) {
    const want = Math.min(buffer.byteLength, end - at);
    expect(await reader.readInto(buffer.subarray(0, want), at)).toBe(want);
    expect(Buffer.compare(buffer.subarray(0, want), content.subarray(at, at + want))).toBe(0);
  }
  reader.close();
  await ended();
  const each = pieces * PIECE_BYTES;
  const starts = Array.from({ length: Math.ceil((end - 3) / each) }, (_, index) => 3 + index * each);
  expect(requests).toEqual([
    ["wanted", 3, end],
    ...starts.map((start): Request => ["request", start, Math.min(start + each, end)]),
  ]);
});

test("what is there is given at once, without a promise", async () => {
  const { open, ended } = source(4 * MIB);
  const reader = open({ start: 0, end: 4 * MIB });
  await reader.readInto(new Uint8Array(10), 0);
  expect(reader.readInto(new Uint8Array(100), 10)).toBe(100);
  reader.close();
  await ended();
});

test("requests go only so far ahead of a reader as its memory allows", async () => {
  const { requests, open, ended } = source(60 * MIB, LITTLE);
  const reader = open({ start: 0, end: 60 * MIB });
  await reader.readInto(new Uint8Array(10), 0);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(requests.filter(([kind]) => kind === "request")).toHaveLength(2);
  reader.close();
  await ended();
});

test("a record that crosses the range's end comes with it where both are wanted at once", async () => {
  const { content, requests, open } = source(MIB);
  const reader = open({ start: 0, end: 1000 });
  const buffer = new Uint8Array(1100);
  expect(await reader.readInto(buffer, 0)).toBe(1100);
  expect([...buffer]).toEqual([...content.subarray(0, 1100)]);
  expect(requests).toEqual([
    ["wanted", 0, 1100],
    ["request", 0, 1100],
  ]);
});

test("a record that crosses the range's end costs one small request where it is wanted later", async () => {
  const { content, requests, open } = source(MIB);
  const reader = open({ start: 0, end: 1000 });
  const buffer = new Uint8Array(1100);
  expect(await reader.readInto(buffer.subarray(0, 900), 0)).toBe(900);
  expect(await reader.readInto(buffer.subarray(900), 900)).toBe(200);
  expect([...buffer]).toEqual([...content.subarray(0, 1100)]);
  expect(requests).toEqual([
    ["wanted", 0, 1000],
    ["request", 0, 1000],
    ["wanted", 1000, 1100],
    ["request", 1000, 1100],
  ]);
});

test("a reader that takes turns between places near each other asks twice only once", async () => {
  const { content, requests, open } = source(20 * MIB);
  const reader = open({ start: 0, end: 20 * MIB });
  const buffer = new Uint8Array(MIB / 2);
  for (let group = 0; group < 20 * MIB; group += 4 * MIB) {
    for (const at of [group, group + 2 * MIB, group + MIB / 2, group + 3 * MIB, group + MIB]) {
      expect(await reader.readInto(buffer, at)).toBe(buffer.byteLength);
      expect(Buffer.compare(buffer, content.subarray(at, at + buffer.byteLength))).toBe(0);
    }
  }
  expect(requests.filter(([kind]) => kind !== "request")).toEqual([
    ["wanted", 0, 20 * MIB],
    ["wanted", MIB / 2, 20 * MIB],
  ]);
});

test("a poor connection, whose pieces are short, is read to its end by a reader that goes back", async () => {
  const end = 20 * MIB;
  const short = MIB / 4 - 1;
  const { content, open, ended } = source(end, LITTLE, short);
  const reader = open({ start: 0, end });
  const buffer = new Uint8Array(MIB);
  for (let at = 0; at < end; at += buffer.byteLength) {
    for (const from of [at, Math.max(0, at - 2 * MIB), at]) {
      expect(await reader.readInto(buffer, from)).toBe(MIB);
      expect(Buffer.compare(buffer, content.subarray(from, from + MIB))).toBe(0);
    }
  }
  reader.close();
  await ended();
});

test("a jump far away is a new request", async () => {
  const { content, requests, open } = source(40 * MIB);
  const reader = open({ start: 0, end: 40 * MIB });
  const buffer = new Uint8Array(10);
  for (const at of [0, 30 * MIB, MIB]) {
    await reader.readInto(buffer, at);
    expect([...buffer]).toEqual([...content.subarray(at, at + 10)]);
  }
  expect(requests.filter(([kind]) => kind === "wanted").map(([, start]) => start)).toEqual([0, 30 * MIB, MIB]);
});

test("without a known range requests grow while reads follow each other; after a jump they are small", async () => {
  const { requests, open } = source(20 * MIB);
  const reader = open();
  const buffer = new Uint8Array(SINGLE_BYTES);
  const read = async (...places: number[]) => {
    for (const at of places) await reader.readInto(buffer, at);
    return requests.splice(0).flatMap(([kind, start, end]) => (kind === "wanted" ? [end - start] : []));
  };
  expect(await read(0, 10 * MIB, 5 * MIB)).toEqual([SINGLE_BYTES, SINGLE_BYTES, SINGLE_BYTES]);
  const onwards = Array.from({ length: 20 }, (_, index) => 5 * MIB + (index + 1) * SINGLE_BYTES);
  expect(await read(...onwards)).toEqual([4 * SINGLE_BYTES, 16 * SINGLE_BYTES]);
  expect(await read(MIB)).toEqual([SINGLE_BYTES]);
});

test("reads at and past the source's end give what is there", async () => {
  const { content, open } = source(100);
  const reader = open({ start: 0, end: 100 });
  const buffer = new Uint8Array(64);
  expect(await reader.readInto(buffer, 80)).toBe(20);
  expect([...buffer.subarray(0, 20)]).toEqual([...content.subarray(80)]);
  expect(await reader.readInto(buffer, 100)).toBe(0);
  expect(await reader.readInto(buffer, 500)).toBe(0);
});

test("a failed request fails the read that needs it, after all that came before", async () => {
  const bytes = 3 * MIB;
  const failing = (start: number, end: number): SourcePieces => {
    const { port1, port2 } = new MessageChannel();
    const good = streamOfBytes(new Uint8Array(PIECE_BYTES).fill(9));
    let pieces = 0;
    const stream = {
      next: (buffer: ArrayBuffer) => (pieces++ === 0 ? good.next(buffer) : Promise.reject(new Error("source is gone"))),
      close: () => {},
    };
    void pumpSource(port2, () => stream, { start, end, memoryBytes: PLENTY });
    return piecesOfPort(port1);
  };
  const reader = readAhead({ ordinal: 0, name: "data.csv", bytes }, failing, { source: 0, start: 0, end: bytes });
  const buffer = new Uint8Array(PIECE_BYTES);
  expect(await reader.readInto(buffer, 0)).toBe(PIECE_BYTES);
  await expect(reader.readInto(buffer, PIECE_BYTES)).rejects.toThrow("source is gone");
  await expect(reader.readInto(new Uint8Array(5), bytes - 5)).rejects.toThrow("source is gone");
  reader.close();
});

test("a thread that fetches itself reads all into the same few pieces of memory, also through its next readers", async () => {
  const bytes = 8 * MIB;
  const content = new Uint8Array(bytes).map((_, index) => index % 251);
  const memories = new Set<ArrayBuffer>();
  const stream = (start: number, end: number) => {
    const inner = streamOfBytes(content.subarray(start, end));
    const next = (buffer: ArrayBuffer) => {
      memories.add(buffer);
      return inner.next(buffer);
    };
    return piecesOfStream({ next, close: () => inner.close() });
  };
  for (const first of [0, 3, MIB]) {
    const expected = { source: 0, start: first, end: bytes };
    const reader = readAhead({ ordinal: 0, name: "data.csv", bytes }, stream, expected);
    const target = new Uint8Array(bytes);
    for (let at = first; at < bytes; at += MIB) await reader.readInto(target.subarray(at, at + MIB), at);
    expect(Buffer.compare(target.subarray(first), content.subarray(first))).toBe(0);
    reader.close();
  }
  expect(memories.size).toBeLessThan(8);
});

test("memory that is being filled when a reader closes serves no other", async () => {
  const given: ArrayBuffer[] = [];
  const stream = () => {
    const next = (buffer: ArrayBuffer) => {
      given.push(buffer);
      return new Promise<never>(() => {});
    };
    return piecesOfStream({ next, close: () => {} });
  };
  for (let reader = 0; reader < 10; reader++) {
    const hanging = readAhead({ ordinal: 0, name: "data.csv", bytes: MIB }, stream, undefined);
    void hanging.readInto(new Uint8Array(10), 0);
    hanging.close();
  }
  expect(new Set(given).size).toBe(10);
});

test("a source that ends too early fails the read", async () => {
  const short = (start: number) => piecesOfStream(streamOfBytes(new Uint8Array(100).subarray(start)));
  const reader = readAhead({ ordinal: 0, name: "data.csv", bytes: 200 }, short, { source: 0, start: 0, end: 200 });
  await expect(reader.readInto(new Uint8Array(200), 0)).rejects.toThrow("shorter than it was");
});
