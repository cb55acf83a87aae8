/**
 * `npm run bench -- string-count|forecast|spark`: holds Kindling against what its users know, on this machine and in one run, and
 * says which bars are met. Timings are medians of rounds in which all contenders run in turn; results are compared before
 * they are believed. Exit code 1 if results differ or Kindling itself failed, not for a bar that was missed.
 */
import { measure } from "./measure.ts";
import { type BenchOptions, parseOptions, USAGE } from "./options.ts";
import { PREPARED, prepare } from "./prepare.ts";

const say = (line: string): void => void process.stdout.write(`${line}\n`);

const argv = process.argv.slice(2);
const options = readOptions();
if (options !== undefined) {
  process.exitCode =
    process.env[PREPARED] === undefined
      ? await prepare(options, [process.execPath, import.meta.filename, ...argv], say)
      : await measure(options, say);
}

function readOptions(): BenchOptions | undefined {
  try {
    return parseOptions(argv);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    process.exitCode = 2;
    return undefined;
  }
}
