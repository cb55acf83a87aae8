import { expect, test, vi } from "vitest";
import { createPoller, retryDelay } from "./poll.ts";

/** A clock whose timers a test fires by hand. */
function handClock() {
  let timers: { ms: number; callback: () => void }[] = [];
  return {
    clock: {
      now: () => 0,
      after(ms: number, callback: () => void) {
        const timer = { ms, callback };
        timers.push(timer);
        return () => void (timers = timers.filter((other) => other !== timer));
      },
    },
    waits: () => timers.map(({ ms }) => ms),
    fire: () => timers.splice(0).forEach(({ callback }) => callback()),
  };
}
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

test("the round says how long to wait", async () => {
  const { clock, waits, fire } = handClock();
  const round = vi.fn().mockResolvedValueOnce(250).mockResolvedValueOnce(1000);
  createPoller({ clock, round, failed: () => {} }).start();
  await settled();
  expect(waits()).toEqual([250]);
  fire();
  await settled();
  expect(waits()).toEqual([1000]);
});

test("failures are told and tried again ever later; a success starts over", async () => {
  const { clock, fire } = handClock();
  const failed = vi.fn();
  const round = vi.fn().mockRejectedValue(new Error("no"));
  createPoller({ clock, round, failed }).start();
  for (let count = 0; count < 5; count++) {
    await settled();
    fire();
  }
  await settled();
  expect(failed.mock.calls.map(([, ms]) => ms as number)).toEqual([1000, 2000, 4000, 8000, 15_000, 15_000]);
  round.mockResolvedValueOnce(1);
  fire();
  await settled();
  fire();
  await settled();
  expect(failed.mock.lastCall?.[1]).toBe(retryDelay(1));
});

test("a stopped poller asks no more, and drops the answer under way", async () => {
  const { clock, waits } = handClock();
  const answers = Promise.withResolvers<number>();
  const poller = createPoller({ clock, round: () => answers.promise, failed: () => {} });
  poller.start();
  poller.stop();
  answers.resolve(5);
  await settled();
  expect(waits()).toEqual([]);
});
