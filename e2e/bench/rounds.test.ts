import { expect, test } from "vitest";
import type { Case, Contender } from "./model.ts";
import { contradictions, runCase } from "./rounds.ts";

const quiet = (): void => {};
const caseOf = (...contenders: Contender[]): Case => ({ name: "case", title: "", contenders, bars: [] });

test("contenders run in turn, and the first round does not count", async () => {
  const order: string[] = [];
  const contender = (name: string): Contender => ({
    name,
    measure: async (round) => {
      order.push(`${name}${round}`);
      return { figures: { seconds: round } };
    },
  });
  const { outcomes } = await runCase(caseOf(contender("a"), contender("b")), 2, quiet);
  expect(order).toEqual(["a0", "b0", "a1", "b1", "a2", "b2"]);
  expect(outcomes).toEqual([
    { contender: "a", figures: { seconds: [1, 2] } },
    { contender: "b", figures: { seconds: [1, 2] } },
  ]);
});

test("a contender that fails is left out and the others go on; all are stopped", async () => {
  const stopped: string[] = [];
  const good: Contender = {
    name: "good",
    measure: async () => ({ figures: { seconds: 1 } }),
    stop: async () => void stopped.push("good"),
  };
  const bad: Contender = {
    name: "bad",
    start: () => Promise.reject(new Error("no browser")),
    measure: () => Promise.reject(new Error("measured though it did not start")),
    stop: async () => void stopped.push("bad"),
  };
  const { outcomes } = await runCase(caseOf(bad, good), 1, quiet);
  expect(outcomes[0]?.failure).toBe("no browser");
  expect(outcomes[1]?.figures).toEqual({ seconds: [1] });
  expect(stopped).toEqual(["bad", "good"]);
});

test("a result that differs is told with who has which, also in the warm-up", async () => {
  const contender = (name: string, result: string): Contender => ({
    name,
    measure: async () => ({ figures: { seconds: 1 }, facts: { result } }),
  });
  const { differences } = await runCase(caseOf(contender("a", "x"), contender("b", "y")), 1, quiet);
  expect(differences).toEqual(["round 0: result: a has x; b has y", "round 1: result: a has x; b has y"]);
});

test("facts of different names are not compared", () => {
  expect(
    contradictions([
      { by: "a", fact: "rows", text: "1" },
      { by: "b", fact: "columns", text: "2" },
    ]),
  ).toEqual([]);
});

test("a case that needs no more is run once", async () => {
  const rounds: number[] = [];
  const contender: Contender = {
    name: "a",
    measure: async (round) => {
      rounds.push(round);
      return { figures: { mse: 0.5 } };
    },
  };
  const { outcomes } = await runCase({ ...caseOf(contender), once: true }, 5, quiet);
  expect(rounds).toEqual([1]);
  expect(outcomes[0]?.figures).toEqual({ mse: [0.5] });
});
