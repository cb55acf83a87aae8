import { forecastCases } from "./forecast/cases.ts";
import { makeRows, rowsCases } from "./forecast/rows.ts";
import { findWeather } from "./forecast/weather.ts";
import { helpOf } from "./local.ts";
import type { Case } from "./model.ts";
import type { BenchOptions } from "./options.ts";
import type { Python } from "../support/python.ts";
import { javaProblem, sparkEnv } from "../support/spark.ts";
import { folders } from "./folders.ts";
import { sparkCases } from "./spark/cases.ts";
import { type CountCase, stringCountCases } from "./string-count/cases.ts";
import { makeInput } from "./string-count/inputs.ts";

/** A benchmark's cases, and what makes a case's input files. */
export interface Suite {
  readonly cases: readonly Case[];
  /** The workload's help, which tells what it can do. */
  readonly help: string;
  makeInputs(name: string): Promise<void>;
}

export async function openSuite(
  { bench, scale, keep }: BenchOptions,
  python: Python,
  say: (line: string) => void,
): Promise<Suite> {
  const help = await helpOf(bench === "spark" ? "string-count" : bench);
  if (bench === "spark") {
    Object.assign(process.env, sparkEnv(folders.python(bench)));
    const cases = sparkCases(scale, await findWeather(say), keep, javaProblem(say));
    return { cases, help, makeInputs: makerOf(cases, python, say) };
  }
  if (bench === "forecast") {
    const cases = [...forecastCases(python, await findWeather(say), help, keep), ...rowsCases(python, scale)];
    return { cases, help, makeInputs: (name) => makeRows(name, scale, say) };
  }
  const cases = stringCountCases(python, scale, keep);
  return { cases, help, makeInputs: makerOf(cases, python, say) };
}

/** Makes the inputs that a case lists. */
const makerOf =
  (cases: readonly CountCase[], python: Python, say: (line: string) => void): Suite["makeInputs"] =>
  async (name) => {
    for (const { input, tuples } of cases.find((candidate) => candidate.name === name)?.inputs ?? []) {
      await makeInput(input, tuples, python, say);
    }
  };
