import { expect, test } from "vitest";
import { attemptId, blobHash, chunkKey, jobId, taskKey } from "../../shared/ids.ts";
import { temporarySpillFile } from "../headless/spill-file.ts";
import { HeldOutputs } from "./held-outputs.ts";
import { Spill, type SpillFile } from "./spill.ts";

/** A file in memory that counts what happens to it. */
function memoryFile() {
  let content = new Uint8Array(0);
  const file: SpillFile & { opened: number; closed: number; size: () => number } = {
    opened: 0,
    closed: 0,
    size: () => content.length,
    write(bytes, at) {
      const grown = new Uint8Array(Math.max(content.length, at + bytes.length));
      grown.set(content);
      grown.set(bytes, at);
      content = grown;
    },
    read: (target, at) => target.set(content.subarray(at, at + target.length)),
    clear() {
      content = new Uint8Array(0);
    },
    close: () => void file.closed++,
  };
  return file;
}

const job = jobId("j-0123456789");
const task = (partition: number) => taskKey(job, 0, partition);
const key = (partition: number) => chunkKey(task(partition), 0);
const held = (partition: number, bytes: number) => ({ key: key(partition), bytes, hash: blobHash("a".repeat(64)) });
const filled = (value: number): Uint8Array => new Uint8Array(100).fill(value);

test("what is over the budget goes to the file and comes back", () => {
  const file = memoryFile();
  const outputs = new HeldOutputs(250, new Spill(() => file));
  for (let partition = 0; partition < 5; partition++) {
    outputs.hold(attemptId(task(partition), 1), held(partition, 100), { encoded: filled(partition) });
  }
  expect(file.size()).toBe(300);
  for (let partition = 0; partition < 5; partition++) {
    expect(outputs.get(key(partition))).toEqual({ encoded: filled(partition) });
    expect(outputs.encoded(key(partition), blobHash("a".repeat(64)))).toEqual(filled(partition));
  }
  expect(outputs.list(10)).toHaveLength(5);
});

test("bytes that are written out are freed at once, and come back to be given away; what is no bytes stays", () => {
  const outputs = new HeldOutputs(0, new Spill(memoryFile));
  const value = filled(7);
  outputs.hold(attemptId(task(0), 1), held(0, 100), { value });
  expect((value.buffer as ArrayBuffer).detached).toBe(true);
  outputs.hold(attemptId(task(1), 1), held(1, 100), { value: { sum: 1 } });
  for (const _ of ["first", "again"]) {
    expect(outputs.take(key(0))).toEqual({ value: filled(7) });
  }
  expect(outputs.get(key(1))).toEqual({ value: { sum: 1 } });
  expect(outputs.take(key(1))).toEqual({ value: { sum: 1 } });
});

test("shared memory is not taken away from its other readers", () => {
  const outputs = new HeldOutputs(0, new Spill(memoryFile));
  const value = new Uint8Array(new SharedArrayBuffer(100)).fill(3);
  outputs.hold(attemptId(task(0), 1), held(0, 100), { value });
  expect(value[99]).toBe(3);
  expect(outputs.get(key(0))).toEqual({ value: filled(3) });
});

test("the file is opened when it is needed, used again when nothing in it is wanted, and closed in the end", () => {
  const file = memoryFile();
  const outputs = new HeldOutputs(
    150,
    new Spill(() => {
      file.opened++;
      return file;
    }),
  );
  outputs.hold(attemptId(task(0), 1), held(0, 100), { encoded: filled(0) });
  expect(file.opened).toBe(0);
  for (let round = 0; round < 3; round++) {
    outputs.hold(attemptId(task(1), 1), held(1, 100), { encoded: filled(round) });
    expect(outputs.get(key(1))).toEqual({ encoded: filled(round) });
    outputs.reject([attemptId(task(1), 1)]);
  }
  expect(file).toMatchObject({ opened: 1, closed: 0 });
  expect(file.size()).toBe(0);
  outputs.clear();
  expect(file.closed).toBe(1);
});

test("what the coordinator has too is let go before anything is written out", () => {
  const file = memoryFile();
  const outputs = new HeldOutputs(150, new Spill(() => file));
  outputs.hold(attemptId(task(0), 1), held(0, 100), { encoded: filled(0) });
  outputs.kept(key(0));
  outputs.hold(attemptId(task(1), 1), held(1, 100), { encoded: filled(1) });
  expect(outputs.get(key(0))).toBeUndefined();
  expect(outputs.get(key(1))).toEqual({ encoded: filled(1) });
  expect(file.size()).toBe(0);
});

test("a temporary file keeps what is written to it", () => {
  const file = temporarySpillFile();
  file.write(filled(1), 0);
  file.write(filled(2), 100);
  const target = new Uint8Array(100);
  file.read(target, 50);
  expect(target).toEqual(Uint8Array.from({ length: 100 }, (_, index) => (index < 50 ? 1 : 2)));
  expect(() => file.read(target, 150)).toThrow("shorter than what was written");
  file.close();
});
