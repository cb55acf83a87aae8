import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Spool } from "./spool.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "spool-test-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
async function* stream(...parts: readonly Uint8Array[]): AsyncIterable<Uint8Array> {
  yield* parts;
}
async function text(content: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of content) parts.push(part);
  return Buffer.concat(parts).toString();
}

test("a stream can be read in ranges once it is written, and leaves nothing when it is closed", async () => {
  const spooled = await new Spool(folder).take("in", stream(utf8("key,va"), utf8("lue\na,1\n")));
  expect(spooled.bytes).toBe(14);
  expect(await text(spooled.read(0, 14))).toBe("key,value\na,1\n");
  expect(await text(spooled.read(4, 9))).toBe("value");
  expect(await text(spooled.read(3, 3))).toBe("");
  await spooled.close();
  expect(await readdir(folder)).toEqual([]);
});

test.each([
  ["in one piece", (packed: Uint8Array) => [packed]],
  ["byte by byte", (packed: Uint8Array) => Array.from(packed, (byte) => Uint8Array.of(byte))],
])("gzip is unpacked, %s", async (_name, cut) => {
  const packed = gzipSync(utf8("key,value\na,1\n"));
  const spooled = await new Spool(folder).take("in", stream(...cut(packed)));
  expect(await text(spooled.read(0, spooled.bytes))).toBe("key,value\na,1\n");
});

test("gzip of several members is all unpacked", async () => {
  const spooled = await new Spool(folder).take("in", stream(gzipSync("a,1\n"), gzipSync("b,2\n")));
  expect(await text(spooled.read(0, spooled.bytes))).toBe("a,1\nb,2\n");
});

test.each([
  ["nothing", []],
  ["one byte of what might be gzip", [Uint8Array.of(0x1f)]],
])("%s is taken as it is", async (_name, parts) => {
  const spooled = await new Spool(folder).take("in", stream(...parts));
  expect(spooled.bytes).toBe(parts.length);
});

test("damaged gzip names the input and leaves nothing", async () => {
  const packed = gzipSync("key,value\n".repeat(1000));
  const damaged = packed.slice();
  damaged[20] = 255 ^ (damaged[20] ?? 0);
  for (const bad of [damaged, packed.subarray(0, -10), packed.subarray(0, 12)]) {
    await expect(new Spool(folder).take("in.csv.gz", stream(bad))).rejects.toThrow("in.csv.gz: it is damaged gzip");
  }
  expect(await readdir(folder)).toEqual([]);
});

test("a bomb is refused before it fills the disk", async () => {
  const bomb = gzipSync(new Uint8Array(2 ** 24));
  await expect(new Spool(folder, 2 ** 20).take("bomb.gz", stream(bomb))).rejects.toThrow(
    "bomb.gz: it has more than 1048576 bytes",
  );
  expect(await readdir(folder)).toEqual([]);
});

test("a stream that breaks off leaves nothing", async () => {
  async function* broken(): AsyncIterable<Uint8Array> {
    yield utf8("a,1\n");
    throw new Error("the line is dead");
  }
  await expect(new Spool(folder).take("in", broken())).rejects.toThrow("the line is dead");
  expect(await readdir(folder)).toEqual([]);
});
