import { expect, test } from "vitest";
import { record, type Sample, seriesOf, WINDOW_MS } from "./throughput.ts";

test("polls within one second leave the highest rate", () => {
  let history: readonly Sample[] = [];
  for (const [at, rate] of [
    [5000, 10],
    [5250, 40],
    [5500, 20],
    [6100, 5],
  ] as const) {
    history = record(history, at, { tuples: rate });
  }
  expect(history).toEqual([
    { at: 5000, rates: { tuples: 40 } },
    { at: 6000, rates: { tuples: 5 } },
  ]);
});

test("what lies before the window is dropped", () => {
  const history = record(record([], 0, { tuples: 1 }), WINDOW_MS, { tuples: 2 });
  expect(history.map(({ at }) => at)).toEqual([WINDOW_MS]);
});

test("each unit that was worked on has a line up to its own peak", () => {
  const history = [
    { at: 0, rates: { tuples: 50 } },
    { at: 30_000, rates: { tuples: 100, trees: 0 } },
    { at: 60_000, rates: {} },
  ];
  expect(seriesOf(history, { tuples: 7 })).toEqual([
    {
      unit: "tuples",
      now: 7,
      peak: 100,
      span: 60_000,
      points: [
        [0, 0.5],
        [0.5, 1],
        [1, 0],
      ],
    },
  ]);
});

test("a page just opened does not stretch its first seconds over the whole width", () => {
  const [series] = seriesOf(record(record([], 0, { t: 1 }), 3000, { t: 1 }), {});
  expect(series?.points).toEqual([
    [0.9, 1],
    [1, 1],
  ]);
});
