import { expect, test } from "vitest";
import type { ReadableSource } from "../../coordinator/driving.ts";
import { remoteSource } from "./remote-source.ts";

const SIZE = 10 * 1024 * 1024 + 7;
const content = Uint8Array.from({ length: SIZE }, (_, index) => (index * 31) % 251);
const asked: number[] = [];
const source: ReadableSource = {
  ...{ name: "s3://b/k", bytes: SIZE, identity: "ETag 1", path: null },
  async *read(start, end) {
    asked.push(start / 1024 / 1024);
    yield content.subarray(start, start + 10);
    yield content.subarray(start + 10, end);
  },
};
const spec = { ordinal: 0, name: "s3://b/k", bytes: SIZE, location: "s3://b/k", identity: "ETag 1" };

test("bytes come as they lie, across blocks and at the end, and the next block is asked for ahead", async () => {
  const opened = remoteSource(spec, Promise.resolve(source), undefined);
  const across = new Uint8Array(1000);
  expect(await opened.readInto(across, 4 * 1024 * 1024 - 500)).toBe(1000);
  expect(across).toEqual(content.slice(4 * 1024 * 1024 - 500, 4 * 1024 * 1024 + 500));
  expect(asked).toEqual([0, 4, 8]);
  const tail = new Uint8Array(100);
  expect(await opened.readInto(tail, SIZE - 40)).toBe(40);
  expect(tail.subarray(0, 40)).toEqual(content.subarray(SIZE - 40));
});

test("nothing is asked for beyond the range that a task was given", async () => {
  asked.length = 0;
  const range = { source: 0, start: 0, end: 4 * 1024 * 1024 };
  await remoteSource(spec, Promise.resolve(source), range).readInto(new Uint8Array(10), 0);
  expect(asked).toEqual([0]);
});

test("a source that is not the one that the driver has opened is refused", async () => {
  const changed = remoteSource({ ...spec, identity: "ETag 0" }, Promise.resolve(source), undefined);
  await expect(async () => changed.readInto(new Uint8Array(1), 0)).rejects.toMatchObject({ code: "InputChanged" });
});
