import { expect, test } from "vitest";
import { Harness, JOB, plan, task } from "./simulation/harness.ts";
import { TASK_STATUSES } from "./state.ts";
import { beginStep } from "./step.ts";
import { TRANSITIONS, transition } from "./transitions.ts";

const allowed = [
  ...["waiting→ready", "waiting→leased", "waiting→done", "waiting→lost"],
  ...["ready→waiting", "ready→leased", "ready→done", "ready→lost"],
  ...["leased→waiting", "leased→ready", "leased→done"],
  ...["done→lost"],
  ...["lost→waiting", "lost→ready", "lost→done"],
];
const pairs = TASK_STATUSES.flatMap((from) => TASK_STATUSES.map((to) => ({ from, to, pair: `${from}→${to}` })));

test("the table has exactly the transitions that README.md draws", () => {
  expect(Object.keys(TRANSITIONS).sort()).toEqual([...allowed].sort());
});

test.each(pairs)(
  "$pair is carried out if it is in the table, and throws the task's story if not",
  ({ from, to, pair }) => {
    const cluster = new Harness();
    cluster.add(plan(0, 1));
    const found = cluster.state.tasks.get(task(0, 0));
    if (found === undefined) throw new Error("the task was not added");
    // The counts move along, so that a transition begins from a state that agrees with itself.
    found.stage.counts.ready--;
    found.stage.counts[from]++;
    found.status = from;
    const step = beginStep(cluster.state, 5);
    if (allowed.includes(pair)) {
      transition(step, found, to, "a test");
      expect(found.status).toBe(to);
      expect(found.stage.counts[to]).toBe(1);
    } else {
      expect(() => transition(step, found, to, "a test")).toThrow(
        new RegExp(`${from} → ${to} \\(a test\\)\\n${JOB}/0/0 .*\\n0 ms: added\\n0 ms: waiting → ready`),
      );
      expect(found.status).toBe(from);
    }
  },
);
