import { expect, test } from "vitest";
import { type DirectResult, runDirect } from "../../../shared/testing/direct-job.ts";
import { syntheticWeather } from "../synthetic.ts";
import workload from "../workload.ts";
import { parseReport, type ReportData } from "./data.ts";
import { html } from "./markup.ts";
import { show } from "./numbers.ts";
import { reportPage } from "./page.ts";
import type { ReportedJob } from "./reported-job.ts";
import { dayTicks, extentOf, ticks } from "./scale.ts";
import { thinLine } from "./thin.ts";

const weather = syntheticWeather(3);
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const head = (text: string, rows: number): string =>
  text
    .split("\n")
    .slice(0, rows + 1)
    .join("\n");
const files = { observed: bytes(head(weather.observed, 700)), future: bytes(head(weather.future, 40)) };
const run = (params: object, given: Record<string, Uint8Array> = files): Promise<DirectResult> =>
  runDirect(
    workload,
    { observed: "observed", trees: 3, reportData: true, ...params },
    { backend: "wasm", files: given },
  );
const dataOf = (result: DirectResult): ReportData =>
  parseReport(new TextDecoder().decode(result.artifacts.get("report.json")));

const job = (metrics: ReportedJob["metrics"], more: Partial<ReportedJob> = {}): ReportedJob => ({
  id: "j-1",
  workload: "forecast",
  createdAt: Date.UTC(2021, 0, 2, 3, 4),
  seconds: 1.25,
  unit: "trees",
  params: { trees: 3 },
  stages: [],
  shares: [{ node: "n-1", name: "here", tasks: 7 }],
  metrics,
  artifacts: [{ name: "result.csv", bytes: 12, sha256: "00ff" }],
  ...more,
});

test("report.json holds the series as they came, the checked rows with their truth, and the forecast", async () => {
  const result = await run({ future: "future" });
  const [series] = dataOf(result).series;
  expect(series?.columns.map(({ name }) => name)).toEqual(["humidity", "rainfall", "temp", "wind"]);
  expect(series?.holdout.map(({ days, truth }) => [days.length, truth.length])).toEqual([[70, 70]]);
  expect(series?.forecast.map(({ days, truth }) => [days.length, truth.length])).toEqual([[40, 0]]);
  const errors = (series?.holdout[0]?.predicted ?? []).map(
    (value, row) => (value ?? Number.NaN) - (series?.holdout[0]?.truth[row] ?? Number.NaN),
  );
  const mse = errors.reduce((sum, error) => sum + error * error, 0) / errors.length;
  expect(result.metrics["mse"]).toBeCloseTo(mse, 10);
  const slips = series?.columns.find(({ name }) => name === "temp");
  expect(slips?.repairedCount).toBeGreaterThan(0);
  expect(slips?.repaired.every(({ from, to }) => to === null || Math.abs(to * 10 - from) < 1e-9)).toBe(true);
});

test("folds follow each other, series stand apart, and the same run gives the same bytes", async () => {
  const rows = head(weather.observed, 200).split("\n");
  const two = [`${rows[0]},place`, ...rows.slice(1).flatMap((row) => [`${row},"a, b"`, `${row},c`])].join("\n");
  const params = { series: "place", backtest: 2, explain: true };
  const result = await run(params, { observed: bytes(two) });
  const data = dataOf(result);
  expect(data.series.map(({ name }) => name)).toEqual(["a, b", "c"]);
  expect(data.series.map(({ holdout }) => holdout.length)).toEqual([2, 2]);
  expect((await run(params, { observed: bytes(two) })).artifacts).toEqual(result.artifacts);
  const page = reportPage(job(result.metrics), data);
  expect(reportPage(job(result.metrics), data)).toBe(page);
  for (const title of [
    "Predicted and actual (a, b)",
    "What matters (a, b)",
    "What matters (c)",
    "of each series, out of bag",
  ]) {
    expect(page).toContain(title);
  }
});

/** Opening tags as a browser's tokenizer sees them, with the names of their attributes. */
function tagsOf(page: string): string[] {
  const withoutStyle = page.replace(/<style>[^<]*<\/style>/, "");
  return [...withoutStyle.matchAll(/<([a-zA-Z!/][^>]*)>/g)].map(([, tag = ""]) =>
    tag
      .replaceAll(/="[^"]*"/g, "=")
      .split(/\s+/)
      .join(" "),
  );
}

const PAYLOADS = [
  "<script>alert(1)</script>",
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  '" onfocus="alert(1)" autofocus x="',
  "</title><script>alert(1)</script>",
  "</style><script>alert(1)</script>",
  "</desc></svg><script>alert(1)</script>",
  "javascript:alert(1)",
  "<svg/onload=alert(1)>",
  "]]><script>alert(1)</script>",
  "<!--",
  "--><script>alert(1)</script>",
  "&lt;script&gt;alert(1)",
  "&#x3c;script&#x3e;",
  "\u0000<scr\u0000ipt>",
  "\u202e<tpircs>",
  "\ud800<b>",
  "`${alert(1)}`",
  "{{constructor.constructor('alert(1)')()}}",
  '=HYPERLINK("http://x")',
];
const WRAPS: ((text: string) => string)[] = [
  (text) => text,
  (text) => `a${text}`,
  (text) => `${text}b`,
  (text) => `"${text}"`,
  (text) => `'${text}\n<`,
];

test("100 hostile names change no element and no attribute of the page", () => {
  const pageWith = (name: string): string => {
    const rows = { days: [1, 2], predicted: [1, 2], truth: [1, 3], lower: [0, 1], upper: [2, 3] };
    const column = {
      name,
      days: [1, 2],
      values: [1, 2],
      repaired: [{ day: 1, from: 1, to: null }],
      repairedCount: 1,
      periods: [],
    };
    const scores = { mse: 1, baselines: { [name]: { mse: 2 } } };
    const metrics = {
      rows: 2,
      ...scores,
      repaired: { [name]: 1 },
      importances: { [name]: 0.5 },
      series: { [name]: scores },
      backtest: { folds: [{ from: name, to: name, mse: 1 }], mean: { mse: 1 } },
    };
    const stage = {
      ordinal: 0,
      label: name,
      kind: "map",
      tasks: 1,
      done: 1,
      running: 0,
      retries: 0,
      units: 1,
      unitsPerSecond: 1,
      backends: { wasm: 1 },
      reason: name,
      seconds: 1,
    } as const;
    const more: Partial<ReportedJob> = {
      id: name,
      workload: name,
      unit: name,
      params: { [name]: name, model: name },
      stages: [stage],
      shares: [{ node: name, name, tasks: 1 }],
      artifacts: [{ name, bytes: 1, sha256: name }],
    };
    const series = { name, columns: [column], holdout: [rows], forecast: [rows] };
    return reportPage(job(metrics, more), { version: 1, target: name, series: [series] });
  };
  const expected = tagsOf(pageWith("plain"));
  const hostile = PAYLOADS.flatMap((payload) => WRAPS.map((wrap) => wrap(payload)));
  expect(hostile.length).toBe(100);
  for (const name of hostile) expect(tagsOf(pageWith(name))).toEqual(expected);
});

test("the page holds nothing that runs or loads, has one h1, no level left out, and ids that are there once", async () => {
  const result = await run({ future: "future" });
  const page = reportPage(job(result.metrics), dataOf(result));
  expect(page).not.toMatch(/<script|<link|<iframe|<object|<img|\son[a-z]+=|url\(|@import|https?:/i);
  expect(page).toMatch(/^<!doctype html>\n<html lang="en">/);
  const levels = [...page.matchAll(/<h([1-6])/g)].map(([, level]) => Number(level));
  expect(levels.filter((level) => level === 1)).toEqual([1]);
  levels.forEach((level, index) => {
    expect(level).toBeLessThanOrEqual((levels[index - 1] ?? 0) + 1);
  });
  const ids = [...page.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id);
  expect(new Set(ids).size).toBe(ids.length);
  const used = [...page.matchAll(/aria-labelledby="([^"]+)"|href="#([^"]+)"/g)].flatMap(([, labels, link]) =>
    (labels ?? link ?? "").split(" "),
  );
  expect(used.filter((id) => !ids.includes(id))).toEqual([]);
  const drawings = [...page.matchAll(/<svg ([^>]*)>\s*(<\w+)?/g)];
  expect(drawings.every(([, attributes = "", inner]) => attributes.includes("aria-hidden") || inner === "<title")).toBe(
    true,
  );
});

/** Relative luminance and contrast: WCAG 2.2. */
function contrast(one: string, other: string): number {
  const luminance = (colour: string): number =>
    [1, 3, 5]
      .map((at) => Number.parseInt(colour.slice(at, at + 2), 16) / 255)
      .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
      .reduce((sum, part, index) => sum + part * ([0.2126, 0.7152, 0.0722][index] ?? 0), 0);
  const [light = 0, dark = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

test("text and marks stand out from their ground, light and dark", async () => {
  const { STYLE } = await import("./style.ts");
  const themes = [...STYLE.matchAll(/:root \{([^}]*)\}/g)].slice(0, 2).map(([, rules = ""]) => {
    const colours = [...rules.matchAll(/--(\w+): (#[0-9a-f]{6});/g)].map(([, name = "", colour = ""]) => [
      name,
      colour,
    ]);
    return Object.fromEntries(colours) as Record<string, string>;
  });
  expect(themes.length).toBe(2);
  for (const theme of themes) {
    for (const ground of [theme["ground"], theme["raised"]]) {
      for (const text of ["text", "muted", "link"])
        expect(contrast(theme[text] ?? "", ground ?? "")).toBeGreaterThan(4.5);
      for (const mark of ["actual", "predicted", "repaired"])
        expect(contrast(theme[mark] ?? "", ground ?? "")).toBeGreaterThan(3);
    }
  }
});

test("long series are thinned to what a drawing shows, with their extremes and gaps", () => {
  const points = Array.from({ length: 100_000 }, (_, day) => ({
    day,
    value: day > 40_000 && day < 50_000 ? null : day === 77_777 ? 999 : day % 100,
  }));
  const thin = thinLine(points, 500);
  expect(thin.length).toBeLessThanOrEqual(1000);
  expect(thin.some(({ value }) => value === 999)).toBe(true);
  expect(thin.some(({ value }) => value === null)).toBe(true);
  expect(thin.every(({ day }, index) => index === 0 || day >= (thin[index - 1]?.day ?? 0))).toBe(true);
  expect(thinLine(points.slice(0, 900), 500)).toEqual(points.slice(0, 900));
});

test("ticks are round, also over nothing, one day, or huge numbers", () => {
  expect(ticks({ low: 0, high: 1 }, 5)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
  expect(ticks({ low: -3, high: 47 }, 5)).toEqual([0, 10, 20, 30, 40]);
  expect(extentOf([null, null])).toBeUndefined();
  expect(extentOf([0])).toEqual({ low: -1, high: 1 });
  expect(dayTicks({ low: 18_628, high: 18_629 }, 8)[0]?.label).toBe("Jan 2021");
  expect(dayTicks({ low: 0, high: 11_230 }, 8).map(({ label }) => label)).toEqual([
    "1970",
    "1975",
    "1980",
    "1985",
    "1990",
    "1995",
    "2000",
  ]);
  for (const high of [1e-12, 1e12, 1e300]) expect(ticks({ low: 0, high }, 5).length).toBeLessThanOrEqual(6);
  expect([show(1234), show(12_345), show(-0.000123456), show(Number.NaN)]).toEqual([
    "1234",
    "12\u202f345",
    "−0.0001235",
    "–",
  ]);
});

test.each([
  [-1.7e308, 1.7e308],
  [0, Number.MAX_VALUE],
  [Number.MAX_VALUE, Number.MAX_VALUE],
  [0, Number.MIN_VALUE],
  [Number.MIN_VALUE, 3 * Number.MIN_VALUE],
  [1, 1 + 1e-9],
  [1e300, 1e300 * (1 + Number.EPSILON)],
])("an axis from %d to %d is finite, and so are its ticks", (low, high) => {
  for (const count of [2, 5, 8, 40]) {
    if (low < high) expect(ticks({ low, high }, count).every(Number.isFinite)).toBe(true);
    const extent = extentOf([low, high]) ?? { low: 0, high: 0 };
    expect(extent.low).toBeLessThan(extent.high);
    expect(Number.isFinite(extent.high - extent.low)).toBe(true);
    const places = ticks(extent, count);
    expect(places.length).toBeLessThanOrEqual(count + 2);
    for (const at of places) expect(at >= extent.low && at <= extent.high).toBe(true);
  }
});

test("another version of report.json is refused", () => {
  expect(() => parseReport('{"version":2}')).toThrow("version 2");
  expect(html`<b title="${'"'}">${["<", 1]}</b>`.text).toBe('<b title="&quot;">&lt;1</b>');
});
