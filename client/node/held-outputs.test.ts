import { expect, test } from "vitest";
import { type AttemptId, attemptId, type ChunkKey, chunkKey, jobId, type TaskKey, taskKey } from "../../shared/ids.ts";
import type { HeldChunk } from "../../shared/protocol/messages.ts";
import { buffersOf } from "../worker/share.ts";
import type { Payload } from "./data-plane.ts";
import { HeldOutputs } from "./held-outputs.ts";

const task = (partition: number, job = "job-1"): TaskKey => taskKey(jobId(job), 0, partition);
const key = (partition: number, job?: string): ChunkKey => chunkKey(task(partition, job), 0);
const attempt = (partition: number, epoch = 1): AttemptId => attemptId(task(partition), epoch);
const chunk = (partition: number, job?: string): HeldChunk => ({ key: key(partition, job), bytes: 100, hash: null });
const payload: Payload = { value: 1 };

test("what a rejected attempt made goes, unless another attempt here made it too", () => {
  const held = new HeldOutputs(1000);
  held.hold(attempt(0), chunk(0), payload);
  held.hold(attempt(1), chunk(1), payload);
  held.hold(attempt(1, 2), chunk(1), payload);
  held.reject([attempt(0), attempt(1)]);
  expect(held.list(10)).toEqual([chunk(1)]);
  held.reject([attempt(1, 2)]);
  expect(held.list(10)).toEqual([]);
});

test("all chunks of a rejected attempt go", () => {
  const held = new HeldOutputs(1000);
  const keys = [0, 1, 2].map((bucket) => chunkKey(task(0), bucket));
  for (const each of keys) held.hold(attempt(0), { key: each, bytes: 100, hash: null }, payload);
  held.hold(attempt(1), chunk(1), payload);
  held.reject([attempt(0)]);
  expect(held.list(10)).toEqual([chunk(1)]);
});

test("a forgotten job's outputs go, and no others", () => {
  const held = new HeldOutputs(1000);
  held.hold(attempt(0), chunk(0), payload);
  held.hold(attempt(0), chunk(0, "job-2"), payload);
  held.forget(jobId("job-1"));
  expect(held.list(10)).toEqual([chunk(0, "job-2")]);
});

test("over its budget only what the coordinator has too is let go, oldest first", () => {
  const held = new HeldOutputs(200);
  for (const partition of [0, 1, 2, 3]) held.hold(attempt(partition), chunk(partition), payload);
  expect(held.list(10)).toHaveLength(4);
  held.kept(key(2));
  expect(held.list(10)).toEqual([chunk(0), chunk(1), chunk(3)]);
  held.kept(key(0));
  held.kept(key(1));
  held.kept(key(3));
  expect(held.list(10)).toEqual([chunk(1), chunk(3)]);
});

test("bytes that a task takes may move to a thread, and are held all the same", () => {
  const held = new HeldOutputs(1000);
  held.hold(attempt(0), chunk(0), { encoded: Uint8Array.of(1, 2) });
  held.hold(attempt(1), chunk(1), { value: Uint8Array.of(3, 4) });
  for (const _ of ["first task", "second task"]) {
    const taken = [0, 1].map((partition) => held.take(key(partition)));
    expect(taken).toEqual([{ encoded: Uint8Array.of(1, 2) }, { value: Uint8Array.of(3, 4) }]);
    for (const payload of taken) if (payload) for (const buffer of buffersOf(payload)) buffer.transfer();
  }
  expect(held.get(key(0))).toEqual({ encoded: Uint8Array.of(1, 2) });
});

test("what all threads share is taken as it is", () => {
  const held = new HeldOutputs(1000);
  const value = new Uint8Array(new SharedArrayBuffer(8));
  held.hold(attempt(0), chunk(0), { value });
  expect(held.take(key(0))).toEqual({ value });
  expect((held.take(key(0)) as { value: Uint8Array }).value.buffer).toBe(value.buffer);
});

test("what a hello cannot name is dropped", () => {
  const held = new HeldOutputs(1000);
  for (const partition of [0, 1, 2]) held.hold(attempt(partition), chunk(partition), payload);
  expect(held.list(2)).toEqual([chunk(0), chunk(1)]);
  expect(held.get(key(2))).toBeUndefined();
});
