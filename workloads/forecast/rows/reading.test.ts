import { expect, test } from "vitest";
import type { ByteReader } from "kindling";
import { philoxRng } from "../../../shared/rng.ts";
import { runDirect } from "../../../shared/testing/direct-job.ts";
import { fitRange } from "../data/cleaning.ts";
import { planFeatures } from "../data/features.ts";
import { prepareTables } from "../data/prepared.ts";
import { readTable } from "../data/table.ts";
import { binTrainingSet } from "../forest/bins.ts";
import { syntheticWeather } from "../synthetic.ts";
import workload from "../workload.ts";
import { divideDays } from "./divide.ts";
import { fitRules } from "./fit-rules.ts";
import { type Layout, readRows } from "./records.ts";
import { codeFeature } from "./rules.ts";
import { joinSurveys, Surveyor } from "./survey.ts";
import { middlesOf, rangesOf, TailGatherer } from "./tails.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Gives at most `most` bytes at a time. */
function readerOf(bytes: Uint8Array, most = Number.POSITIVE_INFINITY): ByteReader {
  return {
    name: "file.csv",
    size: bytes.length,
    async readInto(target, start) {
      const part = bytes.subarray(start, start + Math.min(most, target.length));
      target.set(part);
      return part.length;
    },
  };
}

const layout: Layout = { start: 10, names: ["b", "date", "a"], date: 1, columns: [2, 0] };
const rowsText = [
  "b,date,a\r\n",
  "1,20200101,2\r\n",
  "-0.25,20200102,1e3\n",
  ",20200103,NA\n",
  '"4",20200104,"5"\n',
  " 7 ,20200105,+8.\n",
  ".5,20200106,123456789012345678\n",
  "0.1,20200107,0.30000000000000004",
].join("");
const expectedRows = [
  [18262, 2, 1],
  [18263, 1000, -0.25],
  [18264, Number.NaN, Number.NaN],
  [18265, 5, 4],
  [18266, 8, 7],
  [18267, 123456789012345678, 0.5],
  [18268, 0.30000000000000004, 0.1],
];

test("wherever a file is cut, its rows are read once, each by the part in which it begins", async () => {
  const bytes = encode(rowsText);
  for (let cut = 0; cut <= bytes.length; cut++) {
    const rows: number[][] = [];
    for (const [start, end] of [
      [0, cut],
      [cut, bytes.length],
    ] as const) {
      const end_ = await readRows(readerOf(bytes, 7), { source: 0, start, end }, layout, (day, values) => {
        rows.push([day, ...values]);
      });
      expect(end_.blank).toBe(false);
    }
    expect(rows).toEqual(expectedRows);
  }
});

test("numbers are the doubles that JavaScript reads", async () => {
  const rng = philoxRng(1, 1);
  const texts = Array.from({ length: 3000 }, () => {
    const digits = String(rng.uint32()).slice(0, 1 + rng.below(10)) + String(rng.uint32()).slice(0, rng.below(10));
    const point = rng.below(digits.length + 1);
    return `${rng.below(2) === 0 ? "-" : ""}${digits.slice(0, point)}.${digits.slice(point)}`;
  });
  const file = encode(`a,date\n${texts.map((text) => `${text},20200101\n`).join("")}`);
  const read: number[] = [];
  const range = { source: 0, start: 0, end: file.length };
  await readRows(readerOf(file), range, { start: 7, names: ["a", "date"], date: 1, columns: [0] }, (_, [value]) => {
    read.push(value as number);
  });
  expect(read).toEqual(texts.map(Number));
});

const head = "date,a,y\n";
const bad: readonly [string, string][] = [
  ["text in place of a number", `${head}20200101,1,2\n20200102,x,2\n`],
  ["a ragged row", `${head}20200101,1,2\n20200102,1\n`],
  ["too many fields", `${head}20200101,1,2,3\n`],
  ["a quoted field too many", `${head}20200101,1,2,"3"\r\n`],
  ["a field too few before CRLF", `${head}20200101,1\r\n`],
  ["no date", `${head}20200101,1,2\n20201301,1,2\n`],
  ["two forms of dates", `${head}20200101,1,2\n2020-01-02,1,2\n`],
  ["no target column", "date,a\n20200101,1\n"],
  ["a column twice", "date,a,a,y\n20200101,1,1,2\n"],
  ["no rows", head],
  ["an empty file", ""],
  ["a quote in a field", `${head}20200101,1"2,2\n`],
  ["text after a quote", `${head}20200101,"1"2,2\n`],
  ["a nameless column", "date,,y\n20200101,1,2\n"],
  ["one row", `${head}20200101,1,2\n`],
  ["lines that end in CR", "date,x,y\r20200101,1,2\r20200102,1,2\r"],
  ["semicolons", "date;x;y\n20200101;1;2\n"],
  ["infinity", `${head}20200101,1,2\n20200102,1e999,2\n`],
  ["no known target", `${head}20200101,1,\n20200102,1,\n`],
];

const params = { observed: "file.csv", target: "y", trees: 2, maxDepth: 3 };
const messageOf = (text: string, distribute: string): Promise<string> =>
  runDirect(workload, { ...params, distribute }, { backend: "js", files: { "file.csv": encode(text) } }).then(
    () => "no error",
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );

test.each(bad)("bad input is told as where one task reads the file: %s", async (_name, text) => {
  const message = await messageOf(text, "rows");
  expect(message).toBe(await messageOf(text, "trees"));
  expect(message).toContain("file.csv");
});

test.each([
  ["a blank line with rows below", `${head}20200101,1,2\n\n20200102,1,2\n`, "row 3 has 1 field where the header has 3"],
  ["a quoted line end", `${head}20200101,"1\n2",2\n`, "row 2: a quoted field is not closed before the line ends"],
  ["a wrong year", `${head}10200101,1,2\n20200102,1,2\n`, "over more than 400 years"],
])("bad input: %s", async (_name, text, message) => {
  expect(await messageOf(text, "rows")).toContain(message);
});

test("blank lines and CRLF at the end do not count, and days may repeat", async () => {
  const text = `${head}20200101,1,2\r\n20200101,2,3\r\n20200102,3,4\r\n\r\n\r\n`;
  const files = { "file.csv": encode(text) };
  const { metrics } = await runDirect(workload, { ...params, distribute: "rows" }, { backend: "js", files });
  expect(metrics).toMatchObject({ rows: 1, trainRows: 2 });
});

const names = ["rainfall", "temp", "wind"];
const features = { harmonics: 1, horizon: null, lags: [], windows: [], lagColumns: "target", known: "none" };
const plan = planFeatures(features, names, "humidity", "file.csv");

/** Rules from parts of a file, on rows that the share takes. */
async function rulesOf(text: string, parts: number, share: number, maxBins: number) {
  const bytes = encode(text);
  const reader = readerOf(bytes);
  const header = text.slice(0, text.indexOf("\n")).split(",");
  const places: Layout = {
    start: text.indexOf("\n") + 1,
    names: header,
    date: header.indexOf("date"),
    columns: [...names, "humidity"].map((name) => header.indexOf(name)),
  };
  const ranges = Array.from({ length: parts }, (_, part) => ({
    source: 0,
    start: Math.floor((part * bytes.length) / parts),
    end: Math.floor(((part + 1) * bytes.length) / parts),
  }));
  const days = new Map<number, number>();
  for (const range of ranges) await readRows(reader, range, places, (day) => days.set(day, 1));
  const sorted = [...days.keys()].sort((a, b) => a - b);
  const counts = {
    ...{ rows: sorted.length, blank: false, form: null },
    ...{ days: Int32Array.from(sorted), counts: new Float64Array(sorted.length).fill(1) },
  };
  const division = divideDays([counts], { kind: "holdout", holdout: "0.1" }, "file.csv");
  const surveys = await Promise.all(
    ranges.map(async (range) => {
      const surveyor = new Surveyor({ seed: 1, share, division, hasTarget: true }, 4);
      await readRows(reader, range, places, (day, values, at) => surveyor.take(day, values, at));
      return surveyor.survey;
    }),
  );
  const survey = joinSurveys(surveys);
  const middles = middlesOf(survey, division);
  const tails = await Promise.all(
    ranges.map(async (range) => {
      const gatherer = new TailGatherer(middles);
      await readRows(reader, range, places, (day, values) => {
        if (day < division.trainBefore) gatherer.take(values);
      });
      return gatherer.tails;
    }),
  );
  const request = { division, target: "humidity", plan, maxBins, file: "file.csv" };
  return { rules: fitRules(survey, share < 2 ** 32 ? tails : [], request), middles, tails, division, survey };
}

const weather = `${syntheticWeather(5).observed.split("\n").slice(0, 2501).join("\n")}\n`;
const whole = prepareTables({
  observed: readTable(encode(weather), "file.csv", { date: "date" }, (header) => header),
  trainRows: Math.floor((weather.trimEnd().split("\n").length - 1) * 0.9),
  queries: {},
  predictors: names,
  target: "humidity",
  features,
}).prepared;

test.each([16, 64, 255])(
  "cleaning and bins of a file that fits the sample are those of one node: %i bins",
  async (bins) => {
    const binned = binTrainingSet(whole.training, bins);
    const one = await rulesOf(weather, 1, 2 ** 32, bins);
    expect(one.rules.prepared.ranges).toEqual(whole.ranges);
    expect(one.rules.frame.values).toEqual(binned.values);
    expect(one.rules.frame.uppers).toEqual(binned.uppers);
    expect(one.rules.frame.valueStart).toEqual(binned.valueStart);
    expect((await rulesOf(weather, 7, 2 ** 32, bins)).rules).toEqual(one.rules);
  },
);

test("rules on a sample: the same from any parts, ranges as on all rows where the middle is the same, all of few values", async () => {
  const few = weather.replaceAll(/,(\d+)\.\d+/g, ",$1");
  const one = await rulesOf(few, 1, 2 ** 30, 200);
  for (const parts of [2, 9]) expect((await rulesOf(few, parts, 2 ** 30, 200)).rules).toEqual(one.rules);
  const exact = await rulesOf(few, 1, 2 ** 32, 200);
  const { valueStart } = one.rules.frame;
  for (const name of names) {
    const feature = one.rules.prepared.features.indexOf(name);
    const of = ({ frame }: typeof one.rules) =>
      frame.values.slice(frame.valueStart[feature], frame.valueStart[feature + 1]);
    expect(of(one.rules)).toEqual(of(exact.rules));
  }
  expect(valueStart.length).toBe(one.rules.prepared.features.length + 1);
  // With the middle of all rows, gaps are found just where they are.
  const all = await rulesOf(weather, 3, 2 ** 32, 64);
  expect(rangesOf(all.middles, all.tails)).toEqual(all.rules.ranges);
  expect(all.rules.ranges[1]).toEqual(
    fitRange(Float64Array.from(all.survey.values.filter((_, at) => at % 4 === 1).slice(0, whole.training.rows))),
  );
});

test("a value that the sample did not have is coded on the side where the model looks for it", async () => {
  const { rules } = await rulesOf(weather, 1, 2 ** 30, 20);
  const { frame, bounds } = rules;
  const width = frame.columns;
  const feature = rules.prepared.features.indexOf("wind");
  const first = frame.valueStart[feature] as number;
  const bins = (frame.valueStart[feature + 1] as number) - first;
  for (let bin = 0; bin + 1 < bins; bin++) {
    const bound = bounds[first + bin] as number;
    for (const [value, expected] of [
      [bound, bin],
      [bound + 1e-9, bin + 1],
      [Number.NaN, bins],
      [-1e9, 0],
      [1e9, bins - 1],
    ] as const) {
      const codes = new Uint8Array(width);
      codeFeature(rules, feature, new Float64Array(width).fill(value), codes);
      expect(codes[feature]).toBe(expected);
    }
  }
});
