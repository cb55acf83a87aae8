import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { philoxRng } from "../../shared/rng.ts";
import { blobContract, hashOf } from "./blobs.contract.ts";
import { DiskBlobs } from "./disk-blobs.ts";

const made: string[] = [];

async function tempDir(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "kindling-blobs-"));
  made.push(dir);
  return dir;
}

afterEach(() => Promise.all(made.splice(0).map((dir) => rm(dir, { recursive: true, force: true }))));

blobContract("blobs on disk", async () => DiskBlobs.open(await tempDir()));

const CONTENT = new TextEncoder().encode("some bytes that matter");
const HASH = hashOf(CONTENT);
const fileIn = (dir: string): string => join(dir, HASH.slice(0, 2), HASH.slice(2));

test("a blob outlives the store", async () => {
  const dir = await tempDir();
  await (await DiskBlobs.open(dir)).put(CONTENT);
  expect(await readFile(fileIn(dir))).toEqual(Buffer.from(CONTENT));
  expect(await (await DiskBlobs.open(dir)).get(HASH)).toEqual(CONTENT);
});

test("any flipped bit and any cut is found; the blob is dropped and can be put again", async () => {
  const dir = await tempDir();
  const blobs = await DiskBlobs.open(dir);
  const rng = philoxRng(1, 0);
  for (let round = 0; round < 200; round++) {
    await blobs.put(CONTENT);
    const damaged = Uint8Array.from(CONTENT);
    const at = rng.below(damaged.length);
    damaged[at] = (damaged[at] ?? 0) ^ (1 << rng.below(8));
    await writeFile(fileIn(dir), round % 2 === 0 ? damaged : damaged.subarray(0, at));
    await expect(blobs.get(HASH)).rejects.toMatchObject({ code: "BlobCorrupt" });
    expect(await blobs.has(HASH)).toBe(false);
  }
});

test("what a crash left half written is removed at the next start", async () => {
  const dir = await tempDir();
  await DiskBlobs.open(dir);
  await writeFile(join(dir, "parts", "0"), "half");
  const blobs = await DiskBlobs.open(dir);
  expect(await readdir(join(dir, "parts"))).toEqual([]);
  await blobs.put(CONTENT);
  expect(await readdir(join(dir, "parts"))).toEqual([]);
});

test("a directory that cannot be made is named", async () => {
  const file = join(await tempDir(), "file");
  await writeFile(file, "");
  await expect(DiskBlobs.open(file)).rejects.toMatchObject({
    code: "StorageFailed",
    message: expect.stringContaining(file) as string,
  });
});

test("a store whose folder is gone says so and does not hang", async () => {
  const dir = await tempDir();
  const blobs = await DiskBlobs.open(dir);
  await rm(dir, { recursive: true });
  await expect(blobs.put(CONTENT)).rejects.toMatchObject({ code: "StorageFailed" });
});
