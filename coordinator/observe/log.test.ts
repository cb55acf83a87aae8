import { expect, test } from "vitest";
import { JobLog } from "./log.ts";

test("one message is one line, without control characters, and not longer than a screen or two", () => {
  const lines: string[] = [];
  const log = new JobLog((line) => lines.push(line), "info");
  log.error("first\r\nsecond\u2028third \u001b[2J", "j-1");
  log.info("x".repeat(10_000), "j-1");
  expect(lines[0]).toBe("error j-1: first ⏎ second ⏎ third  [2J");
  expect(lines[1]?.length).toBeLessThan(4_100);
  expect(log.lines("j-1", 0)[0]?.message).toBe("first ⏎ second ⏎ third  [2J");
});

test("levels below the least are not written; a job's log keeps all but debug", () => {
  const lines: string[] = [];
  const log = new JobLog((line) => lines.push(line), "warn");
  log.debug("d", "j-1");
  log.info("i", "j-1");
  log.warn("w", "j-1");
  expect(lines).toEqual(["warn  j-1: w"]);
  expect(log.lines("j-1", 0).map(({ message }) => message)).toEqual(["i", "w"]);
  expect(log.lines("j-1", 1).map(({ sequence }) => sequence)).toEqual([2]);
});

test("a job's log keeps the newest 2,000 lines, and none once it is forgotten", () => {
  const log = new JobLog(() => undefined, "error");
  for (let n = 1; n <= 2_500; n++) log.info(`line ${n}`, "j-1");
  log.info("other", "j-2");
  const kept = log.lines("j-1", 0);
  expect([kept.length, kept[0]?.message, kept.at(-1)?.sequence]).toEqual([2_000, "line 501", 2_500]);
  log.forget("j-1");
  expect(log.lines("j-1", 0)).toEqual([]);
  expect(log.lines("j-2", 0)).toHaveLength(1);
});
