import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { finished } from "node:stream/promises";
import { pathToFileURL } from "node:url";
import { KindlingError } from "../../../shared/errors.ts";
import { findSparkSubmit } from "./spark-tools.ts";
import { parseStatus } from "./status.ts";
import {
  programArguments,
  type SparkApplication,
  type Submission,
  type SubmissionEvents,
  type SubmittedApplication,
  told,
} from "./submit.ts";

/** ms between asking an application to end and ending its processes. */
const KILL_GRACE_MS = 10_000;
/** Lines of the program's output that an error quotes at most. */
const QUOTED_LINES = 3;

/** Within this machine nobody else needs to reach Spark: neither its ports nor its pages. */
const LOOPBACK = { SPARK_LOCAL_IP: "127.0.0.1" };

export interface SparkSubmitOptions {
  readonly application: SparkApplication;
  /** `local[2]`, `spark://HOST:7077`, `yarn`. */
  readonly master: string;
  /** Folder for Spark's event logs, and one for what each application writes. */
  readonly eventLogs: string;
  readonly logs: string;
  /** Of this process; secrets of the project are not passed on. */
  readonly env: NodeJS.ProcessEnv;
}

/** Spark's own command, in client mode: the driver runs on this machine, and inputs must lie where executors see the same paths. */
export function sparkSubmit(options: SparkSubmitOptions): Submission {
  const { application, master, eventLogs, logs, env } = options;
  // Also for a command that is only printed: Spark does not make the folder for its event logs.
  for (const folder of [eventLogs, logs]) mkdirSync(folder, { recursive: true, mode: 0o700 });
  const isLocal = master.startsWith("local");
  const log = join(logs, `${application.job}.log`);
  const conf = {
    "spark.eventLog.enabled": "true",
    "spark.eventLog.dir": pathToFileURL(eventLogs).href,
    // On this machine the Node that runs now is at hand.
    ...(isLocal ? { "spark.kindling.node": process.execPath } : {}),
    ...application.conf,
  };
  const command = (owner?: number): string[] => [
    ...["--master", master, "--name", application.name],
    ...["--py-files", application.pyFiles.join(","), "--files", application.files.join(",")],
    ...Object.entries(conf).flatMap(([key, value]) => ["--conf", `${key}=${value}`]),
    application.main,
    ...programArguments(application.out, application.inputs, owner === undefined ? {} : { owner }),
  ];
  return {
    print: () => `${["spark-submit", ...command()].map(quoted).join(" ")}\n`,
    async start(events) {
      const program = findSparkSubmit(env);
      // A group of its own: Spark's processes end together, and an interrupt at the terminal reaches this process first.
      const child = spawn(program, command(process.pid), {
        env: { ...(isLocal ? LOOPBACK : {}), ...withoutSecrets(env) },
        detached: true,
        stdio: ["ignore", "pipe", "pipe"],
      });
      return follow(child, application, log, events);
    },
  };
}

function follow(
  child: ChildProcess,
  application: SparkApplication,
  log: string,
  events: SubmissionEvents,
): SubmittedApplication {
  const file = createWriteStream(log, { mode: 0o600 });
  file.on("error", (error) => events.log("warn", `what Spark prints is not kept: ${error.message}`));
  const tail: string[] = [];
  /** What Spark has called an error last. */
  let lastError = "";
  let isCancelled = false;
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface({ input: stream }).on("line", (line) => {
      // Statuses come on standard output; what tasks print is on the other stream.
      const status = stream === child.stdout ? told(line, events) : null;
      if (status !== null) {
        events.status(status);
        return;
      }
      file.write(`${line}\n`);
      lastError = / ERROR (.+)$/.exec(line)?.[1] ?? lastError;
      // The words of errors, not where in Java they were thrown.
      if (/\b(WARN|INFO)\b|^\s+at |^\s*$/.test(line)) return;
      tail.push(line.trim());
      if (tail.length > QUOTED_LINES) tail.shift();
    });
  }
  const closed = Promise.race([once(child, "close"), once(child, "error").then(([error]) => Promise.reject(error))]);
  const ended = closed
    .finally(async () => {
      file.end();
      // Its error, if it has one, is told before.
      await finished(file).catch(() => undefined);
    })
    .then(([code]) => {
      if (isCancelled) throw new KindlingError("Cancelled", "The job was cancelled");
      if (hasEnded(application)) return;
      const why = tail.length > 0 ? `: ${tail.join(" | ")}` : "";
      throw new KindlingError("SparkFailed", `spark-submit ended with code ${String(code)}${why} (all of it: ${log})`);
    });
  ended.catch(() => undefined);
  return {
    ended,
    more: () => `${lastError === "" ? "" : `Spark's last error: ${lastError}; `}all of it: ${log}`,
    async cancel() {
      isCancelled = true;
      signalGroup(child, "SIGTERM");
      const timer = setTimeout(() => signalGroup(child, "SIGKILL"), KILL_GRACE_MS);
      await ended.catch(() => undefined);
      clearTimeout(timer);
    },
  };
}

/** Whether the program's last status is there, not only one of those before: else it has crashed. */
function hasEnded({ out }: SparkApplication): boolean {
  try {
    return parseStatus(readFileSync(join(out, "status.json"), "utf8")).state !== "running";
  } catch {
    return false;
  }
}

function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // It has ended already.
  }
}

const withoutSecrets = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith("KINDLING_")));

/** A word of a shell command. */
const quoted = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);
