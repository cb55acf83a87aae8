import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { fileRange } from "./file-range.ts";

const CONTENT = Uint8Array.from({ length: 3_500_000 }, (_, index) => (index * 7) % 251);
const folder = mkdtempSync(join(tmpdir(), "kindling-range-"));
const path = join(folder, "file");
writeFileSync(path, CONTENT);
afterAll(() => rmSync(folder, { recursive: true }));

async function read(start: number, end: number): Promise<Uint8Array> {
  const copies: Uint8Array[] = [];
  for await (const piece of fileRange(path, start, end)) copies.push(piece.slice());
  return Buffer.concat(copies);
}

test.each([
  [0, 3_500_000],
  [1, 1_048_577],
  [1_048_576, 2_097_152],
  [3_499_999, 3_500_000],
  [7, 7],
  [9, 3],
])("the bytes from %i to %i come in order", async (start, end) => {
  expect(Buffer.compare(await read(start, end), CONTENT.subarray(start, Math.max(start, end)))).toBe(0);
});

test("a file that ends before gives what is there", async () => {
  expect(await read(3_499_000, 9_000_000)).toHaveLength(1_000);
});

test("a piece holds until the next is asked for, also beside other readers", async () => {
  const one = fileRange(path, 0, CONTENT.length);
  const two = fileRange(path, 500_000, CONTENT.length);
  const first = (await one.next()).value as Uint8Array;
  const other = (await two.next()).value as Uint8Array;
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(Buffer.compare(first, CONTENT.subarray(0, first.length))).toBe(0);
  expect(Buffer.compare(other, CONTENT.subarray(500_000, 500_000 + other.length))).toBe(0);
  await one.return(undefined);
  await two.return(undefined);
  expect(await read(0, 10)).toHaveLength(10);
});

test("a file that is not there is an error", async () => {
  await expect(fileRange(join(folder, "none"), 0, 1).next()).rejects.toMatchObject({ code: "ENOENT" });
});
