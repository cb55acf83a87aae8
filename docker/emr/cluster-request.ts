import type { RunJobFlowCommandInput } from "@aws-sdk/client-emr";
import { KindlingError } from "../../shared/errors.ts";
import type { Release } from "./release.ts";
import type { Settings } from "./settings.ts";

export interface ClusterOptions {
  readonly name: string;
  readonly release: Release;
  readonly settings: Settings;
  readonly primaryType: string;
  readonly coreType: string;
  readonly coreCount: number;
  /** `s3://BUCKET/FOLDER/`; null for no logs. */
  readonly logUri: string | null;
  /** Where the bootstrap action lies; null for none. */
  readonly bootstrap: string | null;
  readonly keyName: string | null;
  readonly subnet: string | null;
  readonly serviceRole: string;
  readonly instanceProfile: string;
  /** s without work after which the cluster ends by itself. */
  readonly idleSeconds: number;
}

/** EMR takes 60 s to 7 days. */
export const IDLE_LIMITS = { least: 60, most: 604_800 } as const;

/** The request that starts a cluster. Throws `BadUsage`. */
export function clusterRequest(options: ClusterOptions): RunJobFlowCommandInput {
  const { settings, logUri, bootstrap } = options;
  if (logUri !== null && !/^s3:\/\/[^/]+\/(.*)$/.test(logUri)) {
    throw new KindlingError(
      "BadUsage",
      `--log-uri takes a folder such as s3://BUCKET/logs/, not ${JSON.stringify(logUri)}`,
    );
  }
  for (const [flag, type] of [
    ["primary-type", options.primaryType],
    ["core-type", options.coreType],
  ] as const) {
    if (!/^[a-z][a-z0-9-]*\.[a-z0-9-]+$/.test(type)) {
      throw new KindlingError(
        "BadUsage",
        `--${flag} takes an instance type such as m5.xlarge, not ${JSON.stringify(type)}`,
      );
    }
  }
  const hasHive = settings.configurations.some(({ Classification }) => Classification === "hive-site");
  const applications = ["Hadoop", "Spark", "Livy", "JupyterEnterpriseGateway", ...(hasHive ? ["Hive"] : [])];
  const group = (role: "MASTER" | "CORE", type: string, count: number) => ({
    Name: role === "MASTER" ? "primary" : "core",
    InstanceRole: role,
    InstanceType: type,
    InstanceCount: count,
    Market: "ON_DEMAND" as const,
  });
  return {
    Name: options.name,
    ReleaseLabel: options.release.label,
    Applications: applications.map((Name) => ({ Name })),
    Configurations: settings.configurations.map((entry) => structuredClone(entry) as Configuration),
    Instances: {
      InstanceGroups: [group("MASTER", options.primaryType, 1), group("CORE", options.coreType, options.coreCount)],
      KeepJobFlowAliveWhenNoSteps: true,
      ...(options.keyName === null ? {} : { Ec2KeyName: options.keyName }),
      ...(options.subnet === null ? {} : { Ec2SubnetId: options.subnet }),
    },
    ...(bootstrap === null
      ? {}
      : { BootstrapActions: [{ Name: "cgroups for GPUs", ScriptBootstrapAction: { Path: bootstrap } }] }),
    ...(logUri === null ? {} : { LogUri: logUri }),
    ServiceRole: options.serviceRole,
    JobFlowRole: options.instanceProfile,
    AutoTerminationPolicy: { IdleTimeout: options.idleSeconds },
    VisibleToAllUsers: true,
    Tags: [{ Key: "created-by", Value: "kindling" }],
  };
}

type Configuration = NonNullable<RunJobFlowCommandInput["Configurations"]>[number];

/** What a request will start, in words. */
export function describeRequest(request: RunJobFlowCommandInput, region: string): string {
  const groups = (request.Instances?.InstanceGroups ?? []).map(
    ({ Name, InstanceCount, InstanceType }) => `${InstanceCount} × ${InstanceType} (${Name})`,
  );
  const idle = request.AutoTerminationPolicy?.IdleTimeout ?? 0;
  return [
    `This starts an EMR cluster in ${region}, which AWS bills by the second until it is terminated:`,
    `  name      ${request.Name}`,
    `  release   ${request.ReleaseLabel}`,
    `  machines  ${groups.join(", ")}`,
    `  ends      by itself after ${idle} s without work, or with \`kindling emr terminate ID\``,
  ].join("\n");
}
