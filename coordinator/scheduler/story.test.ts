import { expect, test } from "vitest";
import { failure, Harness, output, plan, task } from "./simulation/harness.ts";
import { story } from "./story.ts";

test("a story tells how a task came to be as it is", () => {
  const cluster = new Harness({ prefetch: 0 });
  cluster.add(plan(0, 1));
  cluster.now = 10;
  cluster.join("a", 1);
  cluster.now = 30;
  cluster.fail("a", "job/0/0#1", failure("TaskCrashed", true));
  cluster.now = 40;
  cluster.join("b", 1);
  cluster.lose("a");
  cluster.now = 50;
  cluster.lose("b");
  cluster.now = 60;
  cluster.join("c", 1);
  cluster.now = 70;
  cluster.succeed("c", "job/0/0#4", output(1, false));
  cluster.now = 80;
  cluster.lose("c");
  cluster.send({ type: "OutputMissing", task: task(0, 0), node: null });
  expect(story(cluster.state, task(0, 0))).toEqual([
    "job/0/0 (stage 0, partition 0) is ready, failed on a",
    "0 ms: added",
    "0 ms: waiting → ready: all inputs are available",
    "10 ms: ready → leased: a got job/0/0#1",
    "30 ms: leased → ready: job/0/0#1 failed on a: TaskCrashed: TaskCrashed happened",
    "30 ms: ready → leased: a got job/0/0#2",
    "40 ms: leased → ready: job/0/0#2 was lost: gone",
    "40 ms: ready → leased: b got job/0/0#3",
    "50 ms: leased → ready: job/0/0#3 was lost: gone",
    "60 ms: ready → leased: c got job/0/0#4",
    "70 ms: leased → done: accepted job/0/0#4 from c",
    "80 ms: done → lost: c, which held it, is gone: gone",
    "80 ms: lost → ready: its lost output is needed",
  ]);
});

test("the first line says what the present state rests on", () => {
  const cluster = new Harness({ prefetch: 0 });
  const head = (ordinal: number, partition: number) => story(cluster.state, task(ordinal, partition))[0];
  cluster.join("a", 1);
  cluster.add(plan(0, 3));
  cluster.add(plan(1, [[task(0, 0), task(0, 2)]]));
  cluster.succeed("a", "job/0/0#1", output(1, false));
  expect(head(0, 0)).toBe("job/0/0 (stage 0, partition 0) is done, held by a");
  expect(head(0, 1)).toBe("job/0/1 (stage 0, partition 1) is leased, job/0/1#1 on a");
  expect(head(0, 2)).toBe("job/0/2 (stage 0, partition 2) is ready");
  expect(head(1, 0)).toBe("job/1/0 (stage 1, partition 0) is waiting, 1 of 2 inputs are missing");
  cluster.send({ type: "OutputDurable", task: task(0, 0) });
  expect(head(0, 0)).toBe("job/0/0 (stage 0, partition 0) is done, durable");
  expect(head(7, 7)).toBe("job/7/7 is not known: its job has ended, or its stage was never added");
});

test("a story that grows too long keeps its beginning and its end", () => {
  const cluster = new Harness({ prefetch: 0, maxLostAttempts: 1_000 });
  cluster.add(plan(0, 1));
  for (let round = 0; round < 100; round++) {
    cluster.now = round;
    cluster.join("a", 1);
    cluster.lose("a");
  }
  const lines = story(cluster.state, task(0, 0));
  expect(lines).toHaveLength(49);
  expect(lines[1]).toBe("0 ms: added");
  expect(lines.at(-1)).toBe("99 ms: leased → ready: job/0/0#100 was lost: gone");
});
