import { beforeAll, describe, expect, test } from "vitest";
import { gateOn, type Plants } from "./planted.ts";

/** The part of ESLint's JSON output that is read. */
type LintReport = readonly {
  readonly filePath: string;
  readonly messages: readonly { readonly ruleId: string | null; readonly message: string }[];
}[];

interface Case {
  readonly file: string;
  readonly text: string;
  /** The rule that must name the file; none for a file that keeps the rules. */
  readonly rule?: string;
}

const kernel = (expression: string): string => `export const f = (x: number): number => ${expression};\n`;
const SCHEDULER = "coordinator/scheduler";

const cases: readonly Case[] = [
  { file: "workloads/toy/exp.ts", text: kernel("Math.exp(x)"), rule: "no-restricted-properties" },
  { file: "workloads/toy/bracket.ts", text: kernel('Math["log"](x)'), rule: "no-restricted-properties" },
  { file: "workloads/toy/hypot.ts", text: kernel("Math.hypot(x, 1)"), rule: "no-restricted-properties" },
  {
    file: "workloads/toy/take.ts",
    text: `const { sin } = Math;\n${kernel("sin(x)")}`,
    rule: "no-restricted-properties",
  },
  { file: "workloads/toy/alias.ts", text: `const M = Math;\n${kernel("M.cos(x)")}`, rule: "no-restricted-syntax" },
  { file: "workloads/toy/power.ts", text: kernel("x ** 0.5"), rule: "no-restricted-syntax" },
  { file: "workloads/toy/half.ts", text: kernel("x + 2 ** 0.5"), rule: "no-restricted-syntax" },
  { file: "workloads/toy/negative.ts", text: kernel("x + 10 ** -3"), rule: "no-restricted-syntax" },
  { file: "workloads/toy/assigned.ts", text: "export let x = 2;\nx **= 0.5;\n", rule: "no-restricted-syntax" },
  { file: "shared/math/tan.ts", text: kernel("Math.tan(x)"), rule: "no-restricted-properties" },
  { file: "shared/math/power.ts", text: kernel("2 ** x"), rule: "no-restricted-syntax" },
  { file: "shared/chance.ts", text: kernel("x * Math.random()"), rule: "no-restricted-properties" },
  { file: "shared/now.ts", text: kernel("x + Date.now()"), rule: "no-restricted-syntax" },
  { file: "workloads/toy/now.ts", text: kernel("x + performance.now()"), rule: "no-restricted-syntax" },
  { file: "workloads/toy/node.ts", text: 'import "node:fs";\n', rule: "no-restricted-imports" },
  {
    file: "shared/page.ts",
    text: "export const title = (): string => document.title;\n",
    rule: "no-restricted-globals",
  },
  { file: "shared/host.ts", text: "export const id = (): number => process.pid;\n", rule: "no-restricted-globals" },
  { file: `${SCHEDULER}/now.ts`, text: kernel("x + Date.now()"), rule: "no-restricted-syntax" },
  { file: `${SCHEDULER}/date.ts`, text: kernel("x + new Date().getTime()"), rule: "no-restricted-syntax" },
  { file: `${SCHEDULER}/chance.ts`, text: kernel("x * Math.random()"), rule: "no-restricted-properties" },
  {
    file: `${SCHEDULER}/timer.ts`,
    text: "export const later = (f: () => void): unknown => setTimeout(f, 1);\n",
    rule: "no-restricted-globals",
  },
  {
    file: "coordinator/floating.ts",
    text: "export function start(): void {\n  Promise.resolve(1);\n}\n",
    rule: "@typescript-eslint/no-floating-promises",
  },
  {
    file: "coordinator/misused.ts",
    text: "export const run = (list: number[]): void => list.forEach(async () => Promise.resolve());\n",
    rule: "@typescript-eslint/no-misused-promises",
  },
  {
    file: "coordinator/inexhaustive.ts",
    text: 'export function f(kind: "a" | "b"): number {\n  switch (kind) {\n    case "a":\n      return 1;\n  }\n  return 0;\n}\n',
    rule: "@typescript-eslint/switch-exhaustiveness-check",
  },
  {
    file: "client/any.ts",
    text: "export const f = (x: any): unknown => x;\n",
    rule: "@typescript-eslint/no-explicit-any",
  },
  {
    file: "client/markup.ts",
    text: "export const show = (to: Element, text: string): void => {\n  to.innerHTML = text;\n};\n",
    rule: "no-restricted-syntax",
  },
  {
    file: "client/only.test.ts",
    text: 'import { test } from "vitest";\n\ntest.only("this one", () => {});\n',
    rule: "no-restricted-syntax",
  },

  { file: "workloads/toy/exact.ts", text: kernel("Math.sqrt(x) + Math.imul(x, 3) + 2 ** 32 + 2 ** -32") },
  {
    file: "workloads/toy/big.ts",
    text: "export const f = (x: bigint, y: number): bigint => x ** 2n + x ** BigInt(y);\n",
  },
  { file: "shared/math/exact.test.ts", text: kernel("Math.exp(x)") },
  { file: "shared/clock.ts", text: kernel("x + performance.now()") },
  {
    file: "workloads/toy/once.ts",
    text:
      "export const seconds = (job: { once(f: () => number): Promise<number> }): Promise<number> =>\n" +
      "  job.once(() => performance.now() / 1000);\n",
  },
  {
    file: `${SCHEDULER}/given.ts`,
    text: "export const later = (now: number): string => new Date(now).toISOString();\n",
  },
  { file: "client/page.ts", text: kernel("Math.sin(x) + Date.now()") },
];

describe("lint names what was planted and nothing else", () => {
  let found: ReadonlyMap<string, readonly string[]>;
  beforeAll(async () => {
    const plants: Plants = Object.fromEntries(cases.map(({ file, text }) => [file, text]));
    const { ok, output } = await gateOn("lint", plants, ["--format", "json"]);
    expect(ok).toBe(false);
    const report = JSON.parse(output) as LintReport;
    found = new Map(
      report.map(({ filePath, messages }) => [fromRoot(filePath), messages.map(({ ruleId }) => `${ruleId}`)]),
    );
  });

  test.each(cases.filter(({ rule }) => rule !== undefined))("$rule: $file", ({ file, rule }) => {
    expect(found.get(file)).toEqual([rule]);
  });

  test.each(cases.filter(({ rule }) => rule === undefined))("allowed: $file", ({ file }) => {
    expect(found.get(file)).toEqual([]);
  });
});

/** `/somewhere/kindling-gates-x/shared/a.ts` → `shared/a.ts`. */
const fromRoot = (path: string): string => path.replace(/^.*kindling-gates-[^/]+\//, "");
