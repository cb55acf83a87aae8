import { expect, test } from "vitest";
import { ManualClock } from "./manual-clock.ts";

test("timers fire in order of time, then of setting, each at its own time", () => {
  const clock = new ManualClock(100);
  const fired: string[] = [];
  const log = (name: string) => () => fired.push(`${name}@${clock.now()}`);
  clock.after(20, log("b"));
  clock.after(10, log("a"));
  clock.after(20, log("c"));
  const cancel = clock.after(15, log("cancelled"));
  cancel();
  clock.after(21, log("later"));
  clock.advance(20);
  expect(fired).toEqual(["a@110", "b@120", "c@120"]);
  expect([clock.now(), clock.next()]).toEqual([120, 121]);
});

test("advance fires timers that were set by timers, if they are due within it", () => {
  const clock = new ManualClock();
  const fired: number[] = [];
  const again = () => {
    fired.push(clock.now());
    clock.after(10, again);
  };
  clock.after(10, again);
  clock.advance(35);
  expect(fired).toEqual([10, 20, 30]);
  expect(clock.now()).toBe(35);
});

test("step fires one timer and says when there is none", () => {
  const clock = new ManualClock();
  clock.after(5, () => {});
  expect([clock.step(), clock.now(), clock.step()]).toEqual([true, 5, false]);
});
