import { openSync, writeSync } from "node:fs";
import type { ExecutionLog } from "../node/execution-log.ts";

/**
 * Appends one line of JSON for each attempt: `{ attempt, task, at, ms, backend, outcome }`, `at` in ms since 1970 at its start.
 * Each line is handed to the system before the attempt's result is sent, so that a killed process leaves a true log. Throws if the
 * file cannot be opened; a line that cannot be written later is told to `warn` and fails no task.
 */
export function fileExecutionLog(path: string, warn: (line: string) => void): ExecutionLog {
  const file = openSync(path, "a");
  return ({ attempt, task, ms, backend, outcome }) => {
    const line = { attempt, task, at: Math.round(Date.now() - ms), ms: Math.round(ms), backend, outcome };
    try {
      writeSync(file, `${JSON.stringify(line)}\n`);
    } catch (error) {
      warn(`the execution log ${path} misses ${attempt}: ${(error as Error).message}`);
    }
  };
}
