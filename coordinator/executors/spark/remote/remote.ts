import { writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { KindlingError } from "../../../../shared/errors.ts";
import { parseStatus } from "../status.ts";
import {
  programArguments,
  type SparkApplication,
  type Submission,
  type SubmissionEvents,
  type SubmittedApplication,
  told,
} from "../submit.ts";
import type { Staging } from "./staging.ts";

/** An application with its files where a cluster reads them. */
export interface RemoteRequest {
  readonly name: string;
  readonly main: string;
  readonly pyFiles: readonly string[];
  readonly files: readonly string[];
  readonly conf: Readonly<Record<string, string>>;
  readonly args: readonly string[];
}

export interface RemoteState {
  readonly state: "waiting" | "running" | "succeeded" | "failed" | "cancelled";
  /** Why, in the cluster's words; may be empty. */
  readonly reason: string;
  /** What the application has printed since the last look, where the cluster shows it. */
  readonly lines: readonly string[];
}

/** An application on a cluster. */
export interface RemoteRun {
  /** Where to look for more, in words. */
  readonly where: string;
  look(): Promise<RemoteState>;
  cancel(): Promise<void>;
}

/** A cluster's way to take applications. */
export interface RemoteCluster {
  /** The exact API call, without doing it. */
  print(request: RemoteRequest): string;
  submit(request: RemoteRequest): Promise<RemoteRun>;
}

/** ms between two looks: what is shown is at most this and the program's own 5 s behind. */
const LOOK_EVERY_MS = 5_000;
/** Looks in a row that may fail: a minute of an unreachable service. */
const MAX_FAILED_LOOKS = 12;
/** Times that an application is asked to end. */
const CANCEL_TRIES = 3;
/** ms that a cancelled application may take to go. */
const CANCEL_MS = 120_000;
const STATUS = "out/status.json";

/**
 * Hands an application to a cluster that need not reach this machine: all passes through a place that both reach. The end is the
 * status that the program writes last; a cluster's own word counts where there is none.
 */
export function remoteSubmission(
  application: SparkApplication,
  staging: Staging,
  cluster: RemoteCluster,
  lookEveryMs = LOOK_EVERY_MS,
): Submission {
  const inputs = [...application.inputs].map(([name, path], index) => ({
    ...{ name, path },
    file: `inputs/${index}-${basename(path)}`,
  }));
  const programs = [application.main, ...application.pyFiles, ...application.files];
  const staged = [
    ...programs.map((path) => ({ path, file: basename(path) })),
    ...inputs.map(({ path, file }) => ({ path, file })),
  ];
  const urlOf = (path: string): string => staging.url(basename(path));
  const located = new Map(inputs.map(({ name, file }) => [name, staging.url(file)]));
  const request: RemoteRequest = {
    name: application.name,
    main: urlOf(application.main),
    pyFiles: application.pyFiles.map(urlOf),
    files: application.files.map(urlOf),
    conf: application.conf,
    args: programArguments(staging.url("out"), located),
  };
  return {
    print: () =>
      [...staged.map(({ path, file }) => `# ${path} → ${staging.url(file)}`), cluster.print(request), ""].join("\n"),
    async start(events) {
      try {
        for (const { path, file } of staged) await staging.put(file, path);
        return follow(application, staging, await cluster.submit(request), events, lookEveryMs);
      } catch (error) {
        await staging.remove().catch(() => undefined);
        throw error;
      }
    },
  };
}

function follow(
  application: SparkApplication,
  staging: Staging,
  run: RemoteRun,
  events: SubmissionEvents,
  lookEveryMs: number,
): SubmittedApplication {
  const cancelled = new AbortController();
  let latest = "";

  async function look(): Promise<RemoteState> {
    const seen = await run.look();
    for (const line of seen.lines) {
      const status = told(line, events);
      if (status === null) events.log("info", line);
      else events.status(status);
    }
    const text = Buffer.from((await staging.read(STATUS)) ?? []).toString("utf8");
    if (text !== "" && text !== latest) {
      latest = text;
      events.status(parseStatus(text));
    }
    return seen;
  }

  async function bring(): Promise<void> {
    for (const { file } of parseStatus(latest).artifacts)
      await staging.fetch(`out/${file}`, join(application.out, file));
    await writeFile(join(application.out, "status.json"), latest, { mode: 0o600 });
  }

  async function untilItEnds(): Promise<void> {
    for (let failures = 0; ; ) {
      try {
        const { state, reason } = await look();
        if (latest !== "" && parseStatus(latest).state !== "running") return await bring();
        failures = 0;
        if (state !== "waiting" && state !== "running") {
          const why = reason === "" ? "" : `: ${reason}`;
          throw new KindlingError("SparkFailed", `The application has ${state} without a result${why} (${run.where})`);
        }
      } catch (error) {
        const isFinal = hasCode(error, "SparkFailed", "BadStatus", "NoCredentials");
        if (isFinal || ++failures > MAX_FAILED_LOOKS) throw error;
        events.log("warn", `${run.where}: ${error instanceof Error ? error.message : String(error)}; trying again`);
      }
      await wait(lookEveryMs, undefined, { signal: cancelled.signal });
    }
  }

  /** Resolves when the application is gone. */
  async function end(): Promise<void> {
    const isOver = (): Promise<boolean> =>
      run.look().then(
        ({ state }) => state !== "waiting" && state !== "running",
        () => false,
      );
    for (let tries = 1; ; tries++) {
      try {
        await run.cancel();
        break;
      } catch (error) {
        // It may have ended by itself.
        if (await isOver()) return;
        if (tries === CANCEL_TRIES) throw notCancelled(error instanceof Error ? error.message : String(error), error);
      }
      await wait(lookEveryMs);
    }
    for (let left = CANCEL_MS; left > 0; left -= lookEveryMs) {
      if (await isOver()) return;
      await wait(lookEveryMs);
    }
    throw notCancelled(`it has not ended within ${CANCEL_MS / 1000} s`);
  }

  const notCancelled = (why: string, cause?: unknown): KindlingError =>
    new KindlingError("CancelFailed", `The application cannot be cancelled, and goes on: ${why}`, { cause });

  const clean = (): Promise<void> =>
    staging
      .remove()
      .catch((error: unknown) => events.log("warn", `${staging.url("")} is left behind: ${String(error)}`));

  async function followed(): Promise<void> {
    try {
      await untilItEnds();
    } catch (error) {
      if (!cancelled.signal.aborted) throw error;
      await end();
      throw new KindlingError("Cancelled", "The job was cancelled");
    }
  }

  const ended = followed().then(clean, async (error: unknown) => {
    if (hasCode(error, "SparkFailed", "Cancelled")) await clean();
    else {
      // It may go on, and what it reads and writes must stay; or its results are there and could not be brought.
      const why = error instanceof Error ? error.message : String(error);
      events.log("error", `${run.where}: ${why}. It may go on; its files are left in ${staging.url("")}`);
    }
    throw error;
  });
  ended.catch(() => undefined);
  return {
    ended,
    more: () => `more: ${run.where}`,
    async cancel() {
      cancelled.abort();
      await ended.catch((error: unknown) => {
        if (hasCode(error, "CancelFailed")) throw error;
      });
    },
  };
}

const hasCode = (error: unknown, ...codes: string[]): boolean =>
  error instanceof KindlingError && codes.includes(error.code);
