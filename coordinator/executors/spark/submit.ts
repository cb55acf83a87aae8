import type { JobId } from "../../../shared/ids.ts";
import { type SparkStatus, statusOf } from "./status.ts";

/**
 * A Spark application that runs one job, as every back end gets it. All paths are of this machine and exist when `start` is
 * called; file names are unique within an application.
 */
export interface SparkApplication {
  readonly job: JobId;
  /** What Spark's pages call it. */
  readonly name: string;
  /** The PySpark program (`application` of spark-submit, `file` of Livy, `entryPoint` of EMR Serverless). */
  readonly main: string;
  /** Python modules that executors import too: `--py-files`. */
  readonly pyFiles: readonly string[];
  /** Files that must lie beside the program's driver: `--files`. */
  readonly files: readonly string[];
  /** Input files of this machine, by the name that the job's parameters have for them. Empty where a job reads none. */
  readonly inputs: ReadonlyMap<string, string>;
  /** Spark properties: the caller's, over those that the program needs. */
  readonly conf: Readonly<Record<string, string>>;
  /** The folder into which a back end brings what the program has written. */
  readonly out: string;
}

/** What a back end says about a run as it goes on. */
export interface SubmissionEvents {
  /** How the job stands, as often as it can be known: at least every 15 s. */
  status(status: SparkStatus): void;
  /** A line for the job's log. */
  log(level: "info" | "warn" | "error", line: string): void;
}

/** The status in a line that an application has printed. Null where it has none, and where what looks like one is broken. */
export function told(line: string, events: SubmissionEvents): SparkStatus | null {
  try {
    return statusOf(line);
  } catch (error) {
    events.log("warn", error instanceof Error ? error.message : String(error));
    return null;
  }
}

/** An application that was handed over. */
export interface SubmittedApplication {
  /**
   * Resolves when the application has ended and `application.out` holds `status.json` and what it names. Rejects with a
   * KindlingError that says why there is no such file, and where to look.
   */
  readonly ended: Promise<void>;
  /** Where to look for more once it has ended, and Spark's own last words where they are known. */
  more(): string;
  /**
   * Ends the application in Spark, and all that it left there; resolves when it is gone. May be called twice, and too late. Rejects, as
   * `ended` does, with `CancelFailed` where the application goes on.
   */
  cancel(): Promise<void>;
}

/**
 * A way to hand an application to Spark: `spark-submit`, `livy:URL`, `emr:CLUSTER_ID`, `emr-serverless:APP_ID`. A back end
 *
 * 1. brings `main`, `pyFiles`, `files` and `inputs` to where the cluster reads them;
 * 2. starts `main` with the arguments that `programArguments` makes, from a folder (or `s3://` prefix) that it chose for the
 *    program's output and from where the inputs came to lie;
 * 3. tells each status: the program prints every change as a line (`told` finds it), and keeps the newest in `status.json`
 *    in its output folder, for back ends that see no standard output;
 * 4. brings the output folder's files to `application.out`: `status.json` last, since it names the others;
 * 5. deletes what it brought, except Spark's own event log.
 */
export interface Submission {
  /** The exact command or API calls, secrets left out. Nothing is done. */
  print(): string;
  /** Resolves when the application is handed over. Rejects with a KindlingError that says what is missing and what to do. */
  start(events: SubmissionEvents): Promise<SubmittedApplication>;
}

/**
 * The program's arguments. `out`: the folder or URL for its output. `inputs`: where each of `application.inputs` lies, by the
 * same names: a path that every executor can read, or a URL. `owner`: a process of this machine without which the application is of
 * no use; it ends itself when that is gone.
 */
export function programArguments(
  out: string,
  inputs: ReadonlyMap<string, string>,
  { owner }: { readonly owner?: number } = {},
): string[] {
  return [
    ...["--out", out],
    ...[...inputs].flatMap(([name, location]) => ["--input", JSON.stringify([name, location])]),
    ...(owner === undefined ? [] : ["--owner", String(owner)]),
  ];
}
