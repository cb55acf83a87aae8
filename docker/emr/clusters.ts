import type * as Sdk from "@aws-sdk/client-emr";
import { explainAws } from "../../coordinator/index.ts";
import { KindlingError } from "../../shared/errors.ts";

export interface StepStatus {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  /** Why it failed; empty where it did not. */
  readonly reason: string;
}

export interface ClusterStatus {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  /** Why it is in this state, as EMR says; may be empty. */
  readonly reason: string;
  readonly release: string;
  readonly primary: string | null;
  /** Where its logs go; null for nowhere. */
  readonly logUri: string | null;
  /** The primary node first. */
  readonly machines: readonly string[];
  /** Newest first. */
  readonly steps: readonly StepStatus[];
}

/** Roles of a cluster's machines, in the order in which they are shown. */
const ROLES: readonly string[] = ["MASTER", "CORE", "TASK"];

/** EMR's clusters in one region, with the SDK's own credentials. Methods reject with a KindlingError that says what to do. */
export class Clusters {
  readonly #sdk: typeof Sdk;
  readonly #client: Sdk.EMRClient;
  readonly region: string;

  private constructor(sdk: typeof Sdk, client: Sdk.EMRClient, region: string) {
    this.#sdk = sdk;
    this.#client = client;
    this.region = region;
  }

  /** Without a region it takes that of the SDK's own chain. */
  static async open(region: string | undefined): Promise<Clusters> {
    const sdk = await import("@aws-sdk/client-emr");
    const client = new sdk.EMRClient(region === undefined ? {} : { region });
    return new Clusters(sdk, client, await client.config.region().catch(fail("EMR")));
  }

  /** Gives the new cluster's id. */
  async start(request: Sdk.RunJobFlowCommandInput): Promise<string> {
    const { JobFlowId } = await this.#client.send(new this.#sdk.RunJobFlowCommand(request)).catch(fail("EMR"));
    if (JobFlowId === undefined) throw new KindlingError("AwsRefused", "EMR has started a cluster without an id");
    return JobFlowId;
  }

  async status(id: string): Promise<ClusterStatus> {
    checkClusterId(id);
    const failed = fail(`cluster ${id}`);
    const { Cluster } = await this.#client.send(new this.#sdk.DescribeClusterCommand({ ClusterId: id })).catch(failed);
    const [groups, steps] = await Promise.all([
      this.#client.send(new this.#sdk.ListInstanceGroupsCommand({ ClusterId: id })).catch(failed),
      this.#client.send(new this.#sdk.ListStepsCommand({ ClusterId: id })).catch(failed),
    ]);
    return {
      id,
      name: Cluster?.Name ?? "",
      state: Cluster?.Status?.State ?? "UNKNOWN",
      reason: Cluster?.Status?.StateChangeReason?.Message ?? "",
      release: Cluster?.ReleaseLabel ?? "",
      primary: Cluster?.MasterPublicDnsName ?? null,
      // EMR's API gives an s3n:// address where an s3:// one was set.
      logUri: Cluster?.LogUri?.replace(/^s3n:/, "s3:") ?? null,
      // EMR lists them in no order.
      machines: (groups.InstanceGroups ?? [])
        .toSorted((a, b) => ROLES.indexOf(a.InstanceGroupType ?? "") - ROLES.indexOf(b.InstanceGroupType ?? ""))
        .map(
          ({ Name, InstanceGroupType, InstanceType, RunningInstanceCount, RequestedInstanceCount }) =>
            `${Name ?? InstanceGroupType}: ${RunningInstanceCount} of ${RequestedInstanceCount} × ${InstanceType}`,
        ),
      steps: (steps.Steps ?? []).map(({ Id, Name, Status }) => ({
        id: Id ?? "",
        name: Name ?? "",
        state: Status?.State ?? "UNKNOWN",
        reason: Status?.FailureDetails?.Message ?? Status?.FailureDetails?.Reason ?? "",
      })),
    };
  }

  async terminate(id: string): Promise<void> {
    checkClusterId(id);
    await this.#client.send(new this.#sdk.TerminateJobFlowsCommand({ JobFlowIds: [id] })).catch(fail(`cluster ${id}`));
  }
}

/** Throws `BadUsage` for what EMR would not take for a cluster. */
function checkClusterId(id: string): void {
  if (/^j-[A-Z0-9]{1,20}$/.test(id)) return;
  throw new KindlingError("BadUsage", `a cluster's id is such as j-2AXXXXXXGAPLF, not ${JSON.stringify(id)}`);
}

const fail =
  (what: string) =>
  (error: unknown): never => {
    throw explainAws(error, what);
  };
