import { expect, test } from "vitest";
import { tally } from "./vitest.ts";

const file = (status: string, ...tests: string[]): Parameters<typeof tally>[0]["testResults"][number] => ({
  name: "a.test.ts",
  status,
  assertionResults: tests.map((each, index) => ({ status: each, fullName: `test ${index}` })),
});

test("every test counts once, and one that did not run is named", () => {
  const counted = tally({ testResults: [file("passed", "passed", "passed"), file("failed", "failed", "skipped")] });
  expect(counted).toEqual({ passed: 2, failed: 1, skipped: ["test 1"] });
});

test("a file that does not load is a failure although none of its tests ran", () => {
  expect(tally({ testResults: [file("failed"), file("passed", "passed")] })).toMatchObject({ passed: 1, failed: 1 });
});

test("a file whose clean-up failed is a failure although all its tests passed", () => {
  expect(tally({ testResults: [file("failed", "passed")] })).toMatchObject({ passed: 1, failed: 1 });
});
