/**
 * `npm test`: sets up what the tests need, then runs the gates, the unit tests and the end-to-end tests.
 * `npm test -- [gates] [unit] [e2e] [FILTER …]` runs a part of it; a filter is a piece of a test file's path.
 * Its last line is `N passed, N failed`: each gate, each test and each failed step of the set-up counts as one.
 */
import { runGates } from "./gates/gates.ts";
import { ensureAwsPython } from "./support/aws.ts";
import { ensureBuilt } from "./support/build.ts";
import { ensureChromium } from "./support/chromium.ts";
import { ensureNotebookPython } from "./support/notebook.ts";
import { inNamespace, namespaceProblem } from "./support/netns.ts";
import { ensureSpark } from "./support/spark.ts";
import { runVitest, type Tally } from "./support/vitest.ts";

const PARTS = ["gates", "unit", "e2e"];

const say = (text: string): void => void process.stdout.write(`${text}\n`);
const args = process.argv.slice(2);
const filters = args.filter((arg) => !PARTS.includes(arg));
const named = args.filter((arg) => PARTS.includes(arg));
const parts = new Set(named.length > 0 ? named : filters.length > 0 ? ["unit", "e2e"] : PARTS);

const total = { passed: 0, failed: 0 };
const skipped: string[] = [];
const add = (part: Omit<Tally, "skipped"> & Partial<Tally>): void => {
  total.passed += part.passed;
  total.failed += part.failed;
  skipped.push(...(part.skipped ?? []));
};
const fail = (text: string): void => {
  say(`FAIL ${text}`);
  add({ passed: 0, failed: 1 });
};

const failedBuild = ensureBuilt(say);
if (failedBuild !== undefined) fail(`npm run ${failedBuild}`);

if (parts.has("gates")) add(await runGates(say));
if (parts.has("unit")) add(await runVitest("unit", filters));
if (parts.has("e2e")) {
  // Before the namespace, which has no way out.
  prepareStandIns();
  if (prepareBrowser()) {
    const problem = namespaceProblem();
    say(
      problem === undefined ? "e2e: in a network namespace of its own" : `e2e: on this machine's network: ${problem}`,
    );
    add(await runVitest("e2e", filters, problem === undefined ? inNamespace : undefined));
  }
}

if (total.passed + total.failed === 0) fail(`no test matches ${filters.join(" ")}`);
for (const name of skipped) say(`skipped: ${name}`);
say(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed === 0 ? 0 : 1;

/** Installs what tests run against: their tests fail without. */
function prepareStandIns(): void {
  for (const [what, ensure] of [
    ["stand-ins for AWS", ensureAwsPython],
    ["Spark", ensureSpark],
    ["Python for the notebook", ensureNotebookPython],
  ] as const) {
    try {
      ensure(say);
    } catch (error) {
      fail(`${what}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

/** Finds or installs the browser and hands it on to the tests. */
function prepareBrowser(): boolean {
  try {
    process.env["KINDLING_CHROMIUM"] = ensureChromium(say);
    return true;
  } catch (error) {
    fail(`browser: ${error instanceof Error ? error.message : String(error)}`);
    return false;
  }
}
