import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { folders } from "./folders.ts";
import { type Judgement, judge } from "./judge.ts";
import { thisMachine } from "./machine.ts";
import type { Case, Outcome } from "./model.ts";
import { missingNeeds } from "./needs.ts";
import type { BenchOptions } from "./options.ts";
import { openPython } from "../support/python.ts";
import { runCase } from "./rounds.ts";
import { openSuite } from "./suites.ts";
import { barTable, outcomeLines } from "./table.ts";

/** Above this, other processes are likely to disturb what is measured. */
const BUSY_LOAD = 1;
const PEERS = ["duckdb", "polars", "scikit-learn", "lightgbm", "rdd", "dataframe", "mllib"];

interface CaseReport {
  readonly name: string;
  readonly title: string;
  /** Why it was left out. */
  readonly leftOut?: string;
  readonly outcomes: readonly Outcome[];
  readonly differences: readonly string[];
  readonly judgements: readonly Judgement[];
}

/** Runs the chosen cases one after the other; gives the exit code. Each case's result is in the file as soon as it is known. */
export async function measure(options: BenchOptions, say: (line: string) => void): Promise<number> {
  const { bench, repeat, scale } = options;
  const python = openPython(folders.python(bench));
  const machine = thisMachine();
  const suite = await openSuite(options, python, say);
  const unknown = options.cases?.filter((name) => suite.cases.every((candidate) => candidate.name !== name)) ?? [];
  if (unknown.length > 0) {
    const known = suite.cases.map(({ name }) => name).join(", ");
    process.stderr.write(`${bench} has no case ${unknown.join(", ")}; it has ${known}\n`);
    return 2;
  }
  say(`${bench}: scale ${scale}, ${repeat} rounds; ${machine.cpu}, ${machine.cores} cores, Node ${machine.node}`);
  say(`against ${python.packages.join(", ")}`);
  if (machine.load > BUSY_LOAD) say(`the machine is busy (load ${machine.load.toFixed(1)}): figures will be off`);

  const reports: CaseReport[] = [];
  const file = join(folders.results, `${bench}-${new Date().toISOString().replaceAll(/[:.]/g, "-")}.json`);
  for (const chosen of suite.cases) {
    if (options.cases !== null && !options.cases.includes(chosen.name)) continue;
    say(`\n${chosen.name}: ${chosen.title}`);
    const lacks = missingNeeds(suite.help, chosen.needs ?? []);
    const leftOut = chosen.problem ?? (lacks.length > 0 ? `${bench} has no ${lacks.join(", ")}` : undefined);
    reports.push(
      leftOut === undefined ? await report(chosen, suite.makeInputs, repeat, say) : skip(chosen, leftOut, say),
    );
    const date = new Date().toISOString();
    const all = { bench, date, scale, repeat, machine, packages: python.packages, cases: reports };
    writeFileSync(file, `${JSON.stringify(all, null, 2)}\n`);
  }
  const bars = reports.flatMap(({ name, judgements }) => judgements.map((judgement) => ({ name, judgement })));
  say(`\n${barTable(bars).join("\n")}`);
  if (scale !== 1) say(`at ${scale} of the full size: the bars are meant for 1`);
  say(`written to ${file}`);
  return reports.every(isSound) ? 0 : 1;
}

async function report(
  chosen: Case,
  makeInputs: (name: string) => Promise<void>,
  repeat: number,
  say: (line: string) => void,
): Promise<CaseReport> {
  await makeInputs(chosen.name);
  const { outcomes, differences } = await runCase(chosen, repeat, say);
  for (const line of outcomeLines(outcomes)) say(line);
  for (const difference of differences) say(`  DIFFERENT RESULTS, ${difference}`);
  const judgements = chosen.bars.map((bar): Judgement => {
    const judgement = judge(bar, outcomes);
    if (differences.length === 0) return judgement;
    return { ...judgement, verdict: "not measured", reason: "results differ" };
  });
  return { name: chosen.name, title: chosen.title, outcomes, differences, judgements };
}

function skip({ name, title, bars }: Case, leftOut: string, say: (line: string) => void): CaseReport {
  say(`  left out: ${leftOut}`);
  const judgements = bars.map((bar): Judgement => ({ ...judge(bar, []), reason: leftOut }));
  return { name, title, leftOut, outcomes: [], differences: [], judgements };
}

/** Whether results agree and nothing of ours failed. */
function isSound({ differences, outcomes }: CaseReport): boolean {
  const failed = outcomes.filter(({ contender, failure }) => failure !== undefined && !PEERS.includes(contender));
  return differences.length === 0 && failed.length === 0;
}
