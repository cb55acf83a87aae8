import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The part of vitest's JSON report that is counted. */
interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

export interface Tally {
  readonly passed: number;
  readonly failed: number;
  /** Full names of the tests that did not run. */
  readonly skipped: readonly string[];
}

/** Counts a report: each test once, and once each file that failed without a failed test (it did not even load). */
export function tally({ testResults }: Report): Tally {
  const tests = testResults.flatMap(({ assertionResults }) => assertionResults);
  const count = (status: string): number => tests.filter((test) => test.status === status).length;
  const broken = testResults.filter(
    ({ status, assertionResults }) => status === "failed" && assertionResults.every((test) => test.status !== "failed"),
  );
  return {
    passed: count("passed"),
    failed: count("failed") + broken.length,
    skipped: tests.filter(({ status }) => status !== "passed" && status !== "failed").map(({ fullName }) => fullName),
  };
}

/** Runs one project of vite.config.ts under `wrap`, showing vitest's own output; never rejects. */
export async function runVitest(
  project: string,
  filters: readonly string[],
  wrap: (command: readonly string[]) => readonly string[] = (command) => command,
): Promise<Tally> {
  const folder = mkdtempSync(join(tmpdir(), "kindling-tests-"));
  const file = join(folder, "report.json");
  try {
    const vitest = join(import.meta.dirname, "../../node_modules/vitest/vitest.mjs");
    const options = ["run", "--project", project, "--passWithNoTests", "--reporter=default", "--reporter=json"];
    const command = [process.execPath, vitest, ...options, `--outputFile.json=${file}`, ...filters];
    const code = await exitCode(wrap(command));
    const counted = tally(JSON.parse(readFileSync(file, "utf8")) as Report);
    // An unhandled error fails the run though every test passed.
    return code !== 0 && counted.failed === 0 ? { ...counted, failed: 1 } : counted;
  } catch (error) {
    process.stderr.write(`vitest ${project}: ${error instanceof Error ? error.message : String(error)}\n`);
    return { passed: 0, failed: 1, skipped: [] };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function exitCode([command = "", ...args]: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: "inherit" });
    child.on("error", reject);
    child.on("close", (code) => resolve(code ?? 1));
  });
}
