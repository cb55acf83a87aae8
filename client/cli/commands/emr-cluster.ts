import {
  type ClusterStatus,
  Clusters,
  clusterRequest,
  describeRequest,
  IDLE_LIMITS,
  parseRelease,
  rapidsBootstrap,
  stepLogs,
} from "../../../docker/emr/index.ts";
import { KindlingError } from "../../../shared/errors.ts";
import { confirm } from "../confirm.ts";
import { wholeNumber } from "../numbers.ts";
import { writeWhole } from "../part-file.ts";
import { s3 } from "../s3.ts";
import { type ConfigOptions, settingsOf } from "./emr-config.ts";
import { run } from "./run.ts";

export interface CreateOptions extends ConfigOptions {
  readonly name: string;
  readonly primaryType: string;
  readonly coreType: string;
  readonly core: string;
  readonly logUri?: string;
  readonly keyName?: string;
  readonly subnet?: string;
  readonly serviceRole: string;
  readonly instanceProfile: string;
  readonly idle: string;
  readonly print?: boolean;
  readonly yes?: boolean;
}

interface ClusterCommandOptions {
  readonly region?: string;
  readonly json?: boolean;
}

/** `kindling emr create`: starts a cluster and prints its id. */
export async function emrCreate(options: CreateOptions): Promise<void> {
  const release = parseRelease(options.release);
  const settings = settingsOf(options);
  const bootstrap = options.rapids ? bootstrapAddress(options) : null;
  const request = clusterRequest({
    name: options.name,
    release,
    settings,
    primaryType: options.primaryType,
    coreType: options.coreType,
    coreCount: wholeNumber(options.core, "core", 1, 1_000),
    logUri: options.logUri ?? null,
    bootstrap,
    keyName: options.keyName ?? null,
    subnet: options.subnet ?? null,
    serviceRole: options.serviceRole,
    instanceProfile: options.instanceProfile,
    idleSeconds: wholeNumber(options.idle, "idle", IDLE_LIMITS.least, IDLE_LIMITS.most),
  });
  for (const warning of settings.warnings) process.stderr.write(`warning: ${warning}\n`);
  if (options.print) return void process.stdout.write(`${JSON.stringify(request, null, 2)}\n`);
  const clusters = await Clusters.open(options.region);
  await confirm(describeRequest(request, clusters.region), options.yes ?? false);
  if (bootstrap !== null) await writeWhole(bootstrap, [new TextEncoder().encode(rapidsBootstrap(release))]);
  const id = await clusters.start(request);
  process.stdout.write(`${id}\n`);
  process.stderr.write(`It starts in some minutes: kindling emr status ${id}\n`);
}

/** EMR reads bootstrap actions from S3: beside the logs is where this cluster may read. */
function bootstrapAddress({ logUri, release }: CreateOptions): string {
  if (logUri === undefined) {
    throw new KindlingError(
      "BadUsage",
      "--rapids needs --log-uri s3://BUCKET/FOLDER/: its bootstrap action is put there",
    );
  }
  return `${logUri.replace(/\/*$/, "")}/kindling/rapids-bootstrap-${parseRelease(release).label}.sh`;
}

/** `kindling emr status CLUSTER`. */
export async function emrStatus(id: string, options: ClusterCommandOptions): Promise<void> {
  const cluster = await (await Clusters.open(options.region)).status(id);
  process.stdout.write(options.json ? `${JSON.stringify(cluster)}\n` : printable(cluster));
}

function printable({ id, name, state, reason, release, primary, logUri, machines, steps }: ClusterStatus): string {
  const lines = [
    `${id}  ${name}  ${state}${reason === "" ? "" : `: ${reason}`}`,
    `  release  ${release}`,
    ...machines.map((line) => `  machine  ${line}`),
    ...(primary === null ? [] : [`  primary  ${primary}`]),
    ...(logUri === null ? [] : [`  logs     ${logUri}`]),
    ...steps.map(
      (step) => `  step     ${step.id}  ${step.state}  ${step.name}${step.reason === "" ? "" : `: ${step.reason}`}`,
    ),
  ];
  return `${lines.join("\n")}\n`;
}

/** `kindling emr submit CLUSTER WORKLOAD …`: files pass beside the cluster's logs, unless `--staging` names another place. */
export async function emrSubmit(id: string, args: readonly string[]): Promise<void> {
  const [workload, ...options] = args;
  if (workload === undefined)
    throw new KindlingError("BadUsage", "emr submit needs a workload: kindling emr submit CLUSTER WORKLOAD");
  const isPlaced = options.some((option) => /^--staging(=|$)/.test(option));
  await run([
    ...[workload, "--executor", "spark", "--submit", `emr:${id}`],
    ...(isPlaced ? [] : ["--staging", await besideLogs(id)]),
    ...options,
  ]);
}

async function besideLogs(id: string): Promise<string> {
  const { logUri } = await (await Clusters.open(undefined)).status(id);
  if (logUri !== null) return `${logUri.replace(/\/*$/, "")}/kindling/jobs`;
  throw new KindlingError(
    "BadUsage",
    `cluster ${id} has no folder for logs: name one with --staging s3://BUCKET/PREFIX`,
  );
}

/** `kindling emr logs CLUSTER [STEP]`. */
export async function emrLogs(
  id: string,
  step: string | undefined,
  options: ClusterCommandOptions & { readonly containers?: boolean },
): Promise<void> {
  const cluster = await (await Clusters.open(options.region)).status(id);
  for (const { name, text } of await stepLogs(s3, cluster, step, options.containers ?? false)) {
    process.stdout.write(`==> ${name} <==\n${text.endsWith("\n") ? text : `${text}\n`}`);
  }
}

/** `kindling emr terminate CLUSTER`. */
export async function emrTerminate(
  id: string,
  options: ClusterCommandOptions & { readonly yes?: boolean },
): Promise<void> {
  const clusters = await Clusters.open(options.region);
  const { name, state } = await clusters.status(id);
  if (state.startsWith("TERMINATED")) return void process.stderr.write(`${id} has ended already (${state})\n`);
  await confirm(
    `This ends the cluster ${id} (${name}, ${state}) and what runs on it; its HDFS is lost.`,
    options.yes ?? false,
  );
  await clusters.terminate(id);
  process.stderr.write(`${id} is being terminated: kindling emr status ${id}\n`);
}
