import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { KindlingError } from "../../../shared/errors.ts";
import type { SparkRequest } from "../../../shared/protocol/submit-request.ts";
import { S3 } from "../../aws/s3.ts";
import { type SparkJob, writeApplication } from "./application.ts";
import { type RemoteCluster, remoteSubmission } from "./remote/remote.ts";
import { remoteCluster } from "./remote/remote-cluster.ts";
import { openStaging } from "./remote/staging.ts";
import { sparkSubmit } from "./spark-submit.ts";
import { parseStatus, type SparkStatus } from "./status.ts";
import type { SparkApplication, Submission, SubmissionEvents } from "./submit.ts";

export interface SparkFolders {
  /** For this run alone. */
  readonly run: string;
  /** For what outlives it: Spark's event logs, and what applications print. */
  readonly spark: string;
}

/** A job on Spark, under way. */
export interface SparkRun {
  /** Its last status, with artifacts as files of `out`. Rejects where the application failed, or its job did. */
  readonly ended: Promise<SparkStatus>;
  /** The folder with the artifacts' files. */
  readonly out: string;
  cancel(): Promise<void>;
}

interface RemoteTarget {
  readonly cluster: RemoteCluster;
  readonly staging: string;
}

/** Prepares the job's application in the run's folder. Rejects with `BadUsage` for a target that there is not. */
export async function prepareSpark(
  job: SparkJob,
  target: SparkRequest,
  folders: SparkFolders,
): Promise<{ readonly submission: Submission; readonly application: SparkApplication }> {
  const remote = checkTarget(target);
  const application = await writeApplication(job, target, folders.run);
  if (remote !== null) {
    const staging = openStaging(remote.staging, job.id, new S3());
    return { submission: remoteSubmission(application, staging, remote.cluster), application };
  }
  const [eventLogs, logs] = [join(folders.spark, "events"), join(folders.spark, "logs")];
  return {
    submission: sparkSubmit({ application, master: target.master, eventLogs, logs, env: process.env }),
    application,
  };
}

/** Hands a prepared job to Spark. */
export async function startSpark(
  { submission, application }: { readonly submission: Submission; readonly application: SparkApplication },
  events: SubmissionEvents,
): Promise<SparkRun> {
  const submitted = await submission.start(events);
  const ended = submitted.ended.then(async () => {
    const status = parseStatus(await readFile(join(application.out, "status.json"), "utf8"));
    if (status.state === "succeeded") return status;
    const { code, message } = status.error ?? {
      code: "SparkFailed",
      message: "The Spark application ended before its job",
    };
    // What Spark itself did not do is not explained by the job.
    throw new KindlingError(code, code === "SparkFailed" ? `${message} (${submitted.more()})` : message);
  });
  ended.catch(() => undefined);
  return { ended, out: application.out, cancel: () => submitted.cancel() };
}

/** The cluster of a back end other than `spark-submit`, and where files pass. Throws `BadUsage` for a target that there is not. */
export function checkTarget({ master, submit, staging, executionRole }: SparkRequest): RemoteTarget | null {
  if (!/^(local(\[[\w*,]+\])?|spark:\/\/\S+|yarn|k8s:\/\/\S+)$/.test(master)) {
    throw new KindlingError(
      "BadUsage",
      `--master takes local[2], spark://HOST:7077 or yarn, not ${JSON.stringify(master)}`,
    );
  }
  if (submit === "spark-submit") return null;
  const cluster = remoteCluster(submit, executionRole);
  if (staging === undefined) {
    throw new KindlingError(
      "BadUsage",
      `--submit ${submit} needs --staging s3://BUCKET/PREFIX, where this machine and the cluster hand files to each other`,
    );
  }
  return { cluster, staging };
}
