import { expect, test } from "vitest";
import type { Job } from "../../shared/sdk/job.ts";
import { philoxRng } from "../../shared/rng.ts";
import { lockstep } from "./lockstep.ts";

/** A job of which `once` answers when it is told to; it writes down the order of the calls. */
function manualJob(): { job: Job; calls: (() => void)[]; started: unknown[] } {
  const calls: (() => void)[] = [];
  const started: unknown[] = [];
  const once: Job["once"] = (compute) => {
    const value = compute();
    started.push(value);
    return new Promise((resolve) => calls.push(() => resolve(value)));
  };
  return { job: { once } as unknown as Job, calls, started };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("calls are made round by round in the drivers' order, whichever call answers first", async () => {
  for (let seed = 0; seed < 20; seed++) {
    const rng = philoxRng(seed, 0);
    const { job, calls, started } = manualJob();
    // Driver n makes n + 1 calls.
    const done = lockstep(job, [0, 1, 2], async (own, n) => {
      for (let call = 0; call <= n; call++) await own.once(() => `${n}.${call}`);
      return n * 10;
    });
    await settled();
    while (calls.length > 0) {
      calls.splice(rng.below(calls.length), 1)[0]?.();
      await settled();
    }
    expect(await done).toEqual([0, 10, 20]);
    expect(started).toEqual(["0.0", "1.0", "2.0", "1.1", "2.1", "2.2"]);
  }
});

test("calls of a round are under way together", async () => {
  const { job, calls } = manualJob();
  const done = lockstep(job, [1, 2, 3], (own, n) => own.once(() => n));
  await settled();
  expect(calls.length).toBe(3);
  for (const answer of calls) answer();
  expect(await done).toEqual([1, 2, 3]);
});

test("the first driver's error is the job's, and the others come to their end", async () => {
  const ended: number[] = [];
  const job = { once: async (compute: () => unknown) => compute() } as unknown as Job;
  const run = lockstep(job, [0, 1, 2], async (own, n) => {
    await own.once(() => n);
    if (n > 0) throw new Error(`driver ${n} failed`);
    await own.once(() => n);
    ended.push(n);
  });
  await expect(run).rejects.toThrow("driver 1 failed");
  expect(ended).toEqual([0]);
  expect(await lockstep(job, [], async () => 1)).toEqual([]);
});
