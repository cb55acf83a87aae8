import { expect, test } from "vitest";
import { KindlingError } from "../../shared/errors.ts";
import type { JobView } from "../../shared/protocol/api.ts";
import { ManualClock } from "../../shared/testing/manual-clock.ts";
import { followJob } from "./follow-job.ts";

const view = (state: JobView["state"]): JobView => ({ id: "j-1", state }) as JobView;
const gone = (): never => {
  throw new KindlingError("NoCoordinator", "No coordinator answers", { retryable: true });
};

/** Follows a job whose looks answer one after the other, the last one for ever. */
function follow(looks: readonly (() => JobView)[], cancel: () => Promise<void> = async () => undefined) {
  const clock = new ManualClock();
  const interrupt = new AbortController();
  const lines: string[] = [];
  const seen: string[] = [];
  let look = 0;
  const ended = followJob({ job: async () => (looks[Math.min(look++, looks.length - 1)] ?? gone)(), cancel }, "j-1", {
    clock,
    signal: interrupt.signal,
    seen: ({ state }) => seen.push(state),
    warn: (line) => lines.push(line),
  });
  ended.catch(() => undefined);
  const pass = async (ms: number): Promise<void> => {
    for (let at = 0; at < ms; at += 200) {
      await new Promise((resolve) => setImmediate(resolve));
      clock.advance(200);
    }
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { ended, interrupt, lines, seen, pass };
}

test("a job is looked at until it has ended", async () => {
  const { ended, seen, pass } = follow([() => view("running"), () => view("running"), () => view("failed")]);
  await pass(600);
  expect(await ended).toEqual(view("failed"));
  expect(seen).toEqual(["running", "running"]);
});

test("a coordinator that is gone for a while is waited for, and said to be", async () => {
  const { ended, lines, pass } = follow([() => view("running"), gone, gone, () => view("succeeded")]);
  await pass(1_000);
  expect(await ended).toEqual(view("succeeded"));
  expect(lines).toHaveLength(1);
});

test("one that stays away ends the wait; a final error does at once", async () => {
  const away = follow([gone]);
  await away.pass(61_000);
  await expect(away.ended).rejects.toMatchObject({ code: "NoCoordinator" });
  const refused = follow([
    () => {
      throw new KindlingError("Unauthorized", "no");
    },
  ]);
  await expect(refused.ended).rejects.toMatchObject({ code: "Unauthorized" });
});

test("an interruption cancels the job and rejects", async () => {
  let cancelled = 0;
  const { ended, interrupt, pass } = follow([() => view("running")], async () => {
    cancelled++;
  });
  await pass(200);
  interrupt.abort();
  await expect(ended).rejects.toMatchObject({ code: "Cancelled", message: "j-1 was cancelled" });
  expect(cancelled).toBe(1);
});

test("an interruption that cannot cancel says so", async () => {
  const { ended, interrupt, pass } = follow([() => view("running")], async () => gone());
  await pass(200);
  interrupt.abort();
  await expect(ended).rejects.toMatchObject({
    code: "Cancelled",
    message: expect.stringMatching(/could not be cancelled and may go on/) as string,
  });
});
