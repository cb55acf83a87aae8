import { expect, test } from "vitest";
import { systemClock } from "../../shared/clock.ts";
import { type AttemptId, attemptId, chunkKey, taskKey } from "../../shared/ids.ts";
import type { ChunkRef, Lease } from "../../shared/protocol/messages.ts";
import type { PreparedInput } from "./inputs.ts";
import { HeldOutputs } from "./held-outputs.ts";
import { Spill } from "./spill.ts";
import { FakeCoordinator, hashOf, JOB } from "./testing/fake-coordinator.ts";
import { Workbench, type WorkbenchOptions } from "./workbench.ts";

const STAGE = new FakeCoordinator().stage(hashOf(new Uint8Array()), "task");

/** A workbench whose threads are all taken, of a node with much room for outputs, but for what the test says. */
const workbench = (options: Partial<WorkbenchOptions>): Workbench =>
  new Workbench({
    ...{ slots: 1, aheadBytes: 100, outputs: "shared", clock: systemClock, held: new HeldOutputs(1000) },
    pool: { idle: false, run: () => Promise.reject(new Error("no thread is idle")), rest: () => {}, abort: () => {} },
    inputs: { prepare: () => new Promise<PreparedInput>(() => {}) },
    finished: () => {},
    changed: () => {},
    ...options,
  });

/** The attempts whose inputs are fetched while all threads are taken, of tasks that each read so many bytes. */
function fetched(slots: number, aheadBytes: number, bytes: readonly number[]): AttemptId[] {
  const begun: AttemptId[] = [];
  const bench = workbench({
    ...{ slots, aheadBytes },
    inputs: {
      prepare: ({ attempt }) => {
        begun.push(attempt);
        return new Promise<PreparedInput>(() => {});
      },
    },
  });
  bytes.forEach((count, partition) => {
    bench.assign(leaseOf(partition, count), STAGE);
  });
  return begun;
}

const attempt = (partition: number): AttemptId => attemptId(taskKey(JOB, 1, partition), 1);

function leaseOf(partition: number, bytes: number): Lease {
  const chunk: ChunkRef = { key: chunkKey(taskKey(JOB, 0, partition), 0), bytes, hash: null };
  return { attempt: attempt(partition), job: JOB, ordinal: 1, partition, input: { kind: "chunk", chunk } };
}

test.each([
  ["one for each thread and one ahead", 1, 100, [50, 50, 50, 50], 2],
  ["for two threads", 2, 100, [10, 10, 10, 10, 10], 4],
  ["one ahead only where all fit", 1, 100, [60, 60, 60], 1],
  ["one for each thread, however large", 2, 100, [600, 600, 600], 2],
  ["no smaller one before its turn", 1, 100, [60, 60, 10], 1],
])("inputs are fetched ahead: %s", (_name, slots, aheadBytes, bytes, count) => {
  expect(fetched(slots, aheadBytes, bytes)).toEqual(Array.from({ length: count }, (_, at) => attempt(at)));
});

test("outputs are shared while there is room for them, and move once the spill file takes them", async () => {
  const noFile = { write: () => {}, read: () => {}, clear: () => {}, close: () => {} };
  const forms: string[] = [];
  let finished = (): void => {};
  const bench = workbench({
    held: new HeldOutputs(250, new Spill(() => noFile)),
    inputs: { prepare: async () => ({ input: { kind: "value", value: null }, transfers: [], fetched: undefined }) },
    pool: {
      idle: true,
      run: async ({ outputs }) => {
        forms.push(outputs);
        const chunk = { payload: { value: new Uint8Array(100) }, bytes: 100, hash: null };
        return { ok: true, chunks: [chunk], summary: null, backend: "js", reason: "", units: 0, runMs: 0 };
      },
      rest: () => {},
      abort: () => {},
    },
    finished: () => finished(),
  });
  for (let partition = 0; partition < 4; partition++) {
    const { promise, resolve } = Promise.withResolvers<void>();
    finished = resolve;
    bench.assign(leaseOf(partition, 0), STAGE);
    await promise;
  }
  expect(forms).toEqual(["shared", "shared", "shared", "moved"]);
});

test("threads may rest when no task waits for one", () => {
  let rests = 0;
  const bench = workbench({
    pool: {
      idle: false,
      run: () => Promise.reject(new Error("no thread is idle")),
      rest: () => void rests++,
      abort: () => {},
    },
  });
  bench.assign(leaseOf(0, 10), STAGE);
  bench.assign(leaseOf(1, 10), STAGE);
  bench.revoke([attempt(0)]);
  expect(rests).toBe(0);
  bench.revoke([attempt(1)]);
  expect(rests).toBe(1);
});
