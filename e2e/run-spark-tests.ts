/**
 * `npm run test:spark`: the tests that need Spark alone, on the release that `npm test` takes; with `--all` on each that is supported.
 * Its last line is `N passed, N failed`.
 */
import { ensureBuilt } from "./support/build.ts";
import { inNamespace, namespaceProblem } from "./support/netns.ts";
import { ensureSpark, SPARK_RELEASES } from "./support/spark.ts";
import { runVitest } from "./support/vitest.ts";

const say = (text: string): void => void process.stdout.write(`${text}\n`);
const failedBuild = ensureBuilt(say);
if (failedBuild !== undefined) throw new Error(`npm run ${failedBuild} failed`);
ensureSpark(say, process.argv.includes("--all") ? SPARK_RELEASES : undefined);
const wrap = namespaceProblem() === undefined ? inNamespace : undefined;
const { passed, failed, skipped } = await runVitest("e2e", ["e2e/spark"], wrap);
for (const name of skipped) say(`skipped: ${name}`);
say(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
