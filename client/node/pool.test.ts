import { expose } from "comlink";
import { expect, test } from "vitest";
import { ManualClock } from "../../shared/testing/manual-clock.ts";
import { attemptId, type BlobHash, blobHash, jobId, taskKey } from "../../shared/ids.ts";
import type { ComputeHost, ComputeWorker, RunRequest } from "../worker/compute-protocol.ts";
import { WorkerPool } from "./pool.ts";

/** A pool whose threads say what they are told to do. */
function listeningPool(slots: number, calls: string[]): WorkerPool {
  let threads = 0;
  const spawn = () => {
    const thread = ++threads;
    const { port1, port2 } = new MessageChannel();
    const worker: ComputeWorker = {
      init: async () => ["js"],
      run: async ({ stage }) => {
        calls.push(`thread ${thread} runs ${stage.bundle[0]}`);
        return { ok: false, error: { code: "Fine", message: "", retryable: false } };
      },
      rest: () => void calls.push(`thread ${thread} rests`),
      load: async (bundle) => void calls.push(`thread ${thread} loads ${bundle[0]}`),
      abort: () => undefined,
    };
    expose(worker, port1);
    return {
      endpoint: port2,
      failed: new Promise<Error>(() => {}),
      terminate: () => {
        port1.close();
        port2.close();
      },
    };
  };
  const config = { memoryBytes: 1, summaryBytes: 1, coordinator: null };
  return new WorkerPool(slots, { spawn, host: {} as ComputeHost, config, clock: new ManualClock() });
}

const requestOf = (bundle: BlobHash): RunRequest => ({
  attempt: attemptId(taskKey(jobId("job-1"), 0, 0), 1),
  stage: { bundle, task: "t", deadline: 1000 } as RunRequest["stage"],
  partition: 0,
  input: { kind: "value", value: null },
  outputs: "shared",
});

const [a, b] = [blobHash("a".repeat(64)), blobHash("b".repeat(64))];

test("a bundle that is loaded is ready on every thread, and is not loaded again", async () => {
  const calls: string[] = [];
  const pool = listeningPool(2, calls);
  await pool.load(a);
  expect(calls.toSorted()).toEqual(["thread 1 loads a", "thread 2 loads a"]);
  await pool.load(a);
  await pool.run(requestOf(a), []);
  expect(calls.slice(2)).toEqual(["thread 1 runs a"]);
  pool.stop();
});

test("while one thread runs a bundle's first task, the others load the bundle, once", async () => {
  const calls: string[] = [];
  const pool = listeningPool(3, calls);
  await pool.ready;
  for (const bundle of [a, a, b]) await pool.run(requestOf(bundle), []);
  await expect
    .poll(() => calls.toSorted())
    .toEqual([
      "thread 1 runs a",
      "thread 1 runs a",
      "thread 1 runs b",
      "thread 2 loads a",
      "thread 2 loads b",
      "thread 3 loads a",
      "thread 3 loads b",
    ]);
  pool.stop();
});

test("an idle thread that has run something is told to rest, once", async () => {
  const calls: string[] = [];
  const pool = listeningPool(2, calls);
  await pool.ready;
  pool.rest();
  await pool.run(requestOf(a), []);
  pool.rest();
  pool.rest();
  await expect.poll(() => calls.toSorted()).toEqual(["thread 1 rests", "thread 1 runs a", "thread 2 loads a"]);
  pool.stop();
});
