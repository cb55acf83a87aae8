/**
 * `npm run bench -- string-count|forecast`: holds Kindling against what its users know, on this machine and in one run, and
 * says which bars are met. Timings are medians of rounds in which all contenders run in turn; results are compared before
 * they are believed. Exit code 1 if results differ or Kindling itself failed, not for a bar that was missed.
 */
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { ensureBuilt } from "../support/build.ts";
import { ensureChromium } from "../support/chromium.ts";
import { inNamespace, namespaceProblem } from "../support/netns.ts";
import { folders, makeFolders } from "./folders.ts";
import { type Judgement, judge } from "./judge.ts";
import { thisMachine } from "./machine.ts";
import type { Case, Outcome } from "./model.ts";
import { missingNeeds } from "./needs.ts";
import { type BenchOptions, parseOptions, USAGE } from "./options.ts";
import { openPython, preparePython } from "./python.ts";
import { runCase } from "./rounds.ts";
import { openSuite } from "./suites.ts";
import { barTable, outcomeLines } from "./table.ts";

const PREPARED = "KINDLING_BENCH_PREPARED";
/** Above this, other processes are likely to disturb what is measured. */
const BUSY_LOAD = 1;
const PEERS = ["duckdb", "polars", "scikit-learn", "lightgbm"];

interface CaseReport {
  readonly name: string;
  readonly title: string;
  /** Why it was left out. */
  readonly leftOut?: string;
  readonly outcomes: readonly Outcome[];
  readonly differences: readonly string[];
  readonly judgements: readonly Judgement[];
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);

const options = readOptions(process.argv.slice(2));
if (options !== undefined) {
  if (process.env[PREPARED] === undefined) process.exitCode = await prepare(options);
  else process.exitCode = await measure(options);
}

function readOptions(argv: readonly string[]): BenchOptions | undefined {
  try {
    return parseOptions(argv);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    process.exitCode = 2;
    return undefined;
  }
}

/** Builds and fetches all that needs the network, then measures in a network namespace where one can be made. */
async function prepare({ bench }: BenchOptions): Promise<number> {
  makeFolders();
  const failed = ensureBuilt(say);
  if (failed !== undefined) throw new Error(`npm run ${failed} failed`);
  preparePython(folders.python(bench), join(import.meta.dirname, bench, "requirements.txt"), say);
  const env: NodeJS.ProcessEnv = { ...process.env, [PREPARED]: "1" };
  try {
    env["KINDLING_CHROMIUM"] = ensureChromium(say);
  } catch (error) {
    say(`no tab will be measured: ${error instanceof Error ? error.message : String(error)}`);
  }
  const problem = namespaceProblem();
  if (problem !== undefined) say(`on this machine's network: ${problem}`);
  const command = [process.execPath, import.meta.filename, ...process.argv.slice(2)];
  const [program = "", ...args] = problem === undefined ? inNamespace(command) : command;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env, stdio: "inherit" });
    child.on("error", reject);
    child.on("close", (code) => resolve(code ?? 1));
  });
}

async function measure(options: BenchOptions): Promise<number> {
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
    reports.push(leftOut === undefined ? await report(chosen, suite.makeInputs, repeat) : skip(chosen, leftOut));
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

async function report(chosen: Case, makeInputs: (name: string) => Promise<void>, repeat: number): Promise<CaseReport> {
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

function skip({ name, title, bars }: Case, leftOut: string): CaseReport {
  say(`  left out: ${leftOut}`);
  const judgements = bars.map((bar): Judgement => ({ ...judge(bar, []), reason: leftOut }));
  return { name, title, leftOut, outcomes: [], differences: [], judgements };
}

/** Whether results agree and nothing of ours failed. */
const isSound = ({ differences, outcomes }: CaseReport): boolean =>
  differences.length === 0 &&
  outcomes.every(({ contender, failure }) => failure === undefined || PEERS.includes(contender));
