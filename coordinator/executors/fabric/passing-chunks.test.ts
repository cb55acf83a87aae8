import { expect, test } from "vitest";
import { type ChunkKey, chunkKey, jobId, taskKey } from "../../../shared/ids.ts";
import { PassingChunks } from "./passing-chunks.ts";

const MIB = 2 ** 20;
const key = (partition: number, job = "j-1"): ChunkKey => chunkKey(taskKey(jobId(job), 0, partition), 0);

test("a chunk is given away once", () => {
  const passing = new PassingChunks();
  passing.add(key(0), Uint8Array.of(1));
  passing.add(key(0), Uint8Array.of(1));
  expect(passing.take(key(0))).toEqual(Uint8Array.of(1));
  expect(passing.has(key(0))).toBe(false);
  expect(passing.take(key(0))).toBeUndefined();
});

test("large chunks do not pass, and no more than 64 MiB wait", () => {
  const passing = new PassingChunks();
  expect(passing.hasRoom(9 * MIB)).toBe(false);
  for (let partition = 0; partition < 8; partition++) {
    expect(passing.hasRoom(8 * MIB)).toBe(true);
    passing.add(key(partition), new Uint8Array(8 * MIB));
  }
  expect(passing.hasRoom(1)).toBe(false);
  passing.take(key(3));
  expect(passing.hasRoom(8 * MIB)).toBe(true);
});

test("a job's chunks go with it, and no others", () => {
  const passing = new PassingChunks();
  passing.add(key(0), Uint8Array.of(1));
  passing.add(key(0, "j-2"), Uint8Array.of(2));
  passing.forget(jobId("j-1"));
  expect(passing.has(key(0))).toBe(false);
  expect(passing.take(key(0, "j-2"))).toEqual(Uint8Array.of(2));
});
