import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { jobId, taskKey } from "../../shared/ids.ts";
import type { JobRecord, Journal, OutputRecord } from "./journal.ts";

export const aJob = (id: string, createdAt = 1): JobRecord => ({
  id: jobId(id),
  spec: { workload: "pi", bundle: "0".repeat(64), params: { samples: 10 } },
  status: "running",
  createdAt,
  endedAt: null,
  outcome: undefined,
});

export const anOutput = (job: string, ordinal: number, partition: number): OutputRecord => ({
  task: taskKey(jobId(job), ordinal, partition),
  chunks: [{ bytes: 3, hash: null, inline: Uint8Array.of(1, 2, partition % 256) }],
  durable: true,
  summary: { rows: partition },
  backend: "js",
  reason: "asked for",
  runMs: 1.5,
});

/** What every journal does, whatever it is kept in. */
export function journalContract(name: string, open: () => Promise<Journal>): void {
  describe(name, () => {
    let journal: Journal;
    beforeEach(async () => {
      journal = await open();
    });
    afterEach(() => journal.close());

    test("the first life is number 1", () => {
      expect(journal.incarnation).toBe(1);
    });

    test("what was put is there before and after the sync", async () => {
      const job = aJob("a");
      const output = anOutput("a", 2, 7);
      journal.putJob(job);
      journal.putOutput(output);
      journal.putEntry(job.id, 0, { size: 5, tag: "x" });
      for (const when of ["before", "after"]) {
        expect(journal.jobs(), when).toEqual([job]);
        expect(journal.outputs(job.id), when).toEqual([output]);
        expect(journal.entries(job.id), when).toEqual(new Map([[0, { size: 5, tag: "x" }]]));
        await journal.sync();
      }
    });

    test("a later record takes the place of an earlier one", async () => {
      journal.putJob(aJob("a"));
      await journal.sync();
      const ended: JobRecord = { ...aJob("a"), status: "succeeded", endedAt: 9, outcome: { metrics: { mse: 0.5 } } };
      journal.putJob(ended);
      expect(journal.jobs()).toEqual([ended]);
      await journal.sync();
      expect(journal.jobs()).toEqual([ended]);
    });

    test("jobs come oldest first", async () => {
      for (const [id, createdAt] of [
        ["late", 30],
        ["early", 10],
        ["middle", 20],
      ] as const) {
        journal.putJob(aJob(id, createdAt));
      }
      await journal.sync();
      expect(journal.jobs().map((job) => job.id)).toEqual(["early", "middle", "late"]);
    });

    test("jobs do not mix", async () => {
      journal.putOutput(anOutput("a", 0, 0));
      journal.putOutput(anOutput("a", 0, 1));
      journal.putOutput(anOutput("ab", 0, 0));
      journal.putEntry(jobId("b"), 0, 1);
      await journal.sync();
      expect(journal.outputs(jobId("a")).map((output) => output.task)).toEqual(["a/0/0", "a/0/1"]);
      expect(journal.entries(jobId("a")).size).toBe(0);
      expect(journal.outputs(jobId("unknown"))).toEqual([]);
    });

    test("every kind of value comes back as it was, undefined too", async () => {
      const values = [undefined, null, false, 0.1, 12345678901234567890n, "ü", Float64Array.of(1, -2), [1, [2]], {}];
      values.forEach((value, ordinal) => journal.putEntry(jobId("a"), ordinal, value));
      await journal.sync();
      expect([...journal.entries(jobId("a")).values()]).toEqual(values);
    });

    test("a deleted job takes everything with it, written or waiting, and may come again", async () => {
      journal.putJob(aJob("a"));
      journal.putOutput(anOutput("a", 0, 0));
      journal.putJob(aJob("b"));
      await journal.sync();
      journal.putEntry(jobId("a"), 1, 1);
      journal.deleteJob(jobId("a"));
      journal.putOutput(anOutput("a", 5, 5));
      for (const when of ["before", "after"]) {
        expect(
          journal.jobs().map((job) => job.id),
          when,
        ).toEqual(["b"]);
        expect(
          journal.outputs(jobId("a")).map((output) => output.task),
          when,
        ).toEqual(["a/5/5"]);
        expect(journal.entries(jobId("a")).size, when).toBe(0);
        await journal.sync();
      }
    });

    test("many syncs at once all resolve", async () => {
      const syncs = Array.from({ length: 50 }, (_, partition) => {
        journal.putOutput(anOutput("a", 0, partition));
        return journal.sync();
      });
      await Promise.all(syncs);
      expect(journal.outputs(jobId("a"))).toHaveLength(50);
    });

    test("a closed journal takes nothing", async () => {
      await journal.close();
      expect(() => journal.putJob(aJob("a"))).toThrow(expect.objectContaining({ code: "StorageClosed" }));
    });
  });
}
