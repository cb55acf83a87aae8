import type { AddJobFlowStepsCommandInput } from "@aws-sdk/client-emr";
import { KindlingError } from "../../../../shared/errors.ts";
import { explainAws } from "../../../aws/errors.ts";
import type { RemoteCluster, RemoteRequest, RemoteState } from "./remote.ts";
import { submitWords } from "./submit-words.ts";

const STATES: Readonly<Record<string, RemoteState["state"]>> = {
  PENDING: "waiting",
  CANCEL_PENDING: "running",
  COMPLETED: "succeeded",
  FAILED: "failed",
  INTERRUPTED: "cancelled",
  CANCELLED: "cancelled",
};

/** An EMR cluster, which runs `spark-submit` as a step. Throws `BadUsage` for what is no cluster's id. */
export function emrSteps(clusterId: string): RemoteCluster {
  if (!/^j-[A-Z0-9]{1,20}$/.test(clusterId)) {
    throw new KindlingError(
      "BadUsage",
      `--submit emr:CLUSTER_ID takes an id such as j-2AXXXXXXGAPLF, not ${JSON.stringify(clusterId)}`,
    );
  }
  const failed = (error: unknown): never => {
    throw explainAws(error, `cluster ${clusterId}`);
  };
  return {
    print: (request) => `elasticmapreduce AddJobFlowSteps\n${JSON.stringify(stepOf(clusterId, request), null, 2)}`,
    async submit(request) {
      const sdk = await import("@aws-sdk/client-emr");
      const client = new sdk.EMRClient();
      const added = await client.send(new sdk.AddJobFlowStepsCommand(stepOf(clusterId, request))).catch(failed);
      const [StepId] = added.StepIds ?? [];
      if (StepId === undefined)
        throw new KindlingError("AwsRefused", `cluster ${clusterId} has taken a step without an id`);
      /** The step has been told to end, and YARN has not: the application goes on. */
      let isHalfCancelled = false;
      return {
        where: `kindling emr logs ${clusterId} ${StepId}`,
        async look() {
          const { Step } = await client
            .send(new sdk.DescribeStepCommand({ ClusterId: clusterId, StepId }))
            .catch(failed);
          const { State = "", FailureDetails } = Step?.Status ?? {};
          const reason = FailureDetails?.Message ?? FailureDetails?.Reason ?? "";
          return { state: isHalfCancelled ? "running" : (STATES[State] ?? "running"), reason, lines: [] };
        },
        async cancel() {
          const StepCancellationOption = sdk.StepCancellationOption.TERMINATE_PROCESS;
          await client
            .send(new sdk.CancelStepsCommand({ ClusterId: clusterId, StepIds: [StepId], StepCancellationOption }))
            .catch(failed);
          isHalfCancelled = true;
          // That ends spark-submit; in cluster mode the application itself goes on until YARN is told.
          await client.send(new sdk.AddJobFlowStepsCommand(killOf(clusterId, request.name))).catch(failed);
          isHalfCancelled = false;
        },
      };
    },
  };
}

/** The step that runs an application. */
function stepOf(JobFlowId: string, request: RemoteRequest): AddJobFlowStepsCommandInput {
  const args = ["spark-submit", "--master", "yarn", "--deploy-mode", "cluster", "--name", request.name];
  return step(JobFlowId, request.name, [...args, ...submitWords(request), request.main, ...request.args]);
}

/** A step that ends the YARN applications of a name. The name is the shell's first argument, never part of its text. */
function killOf(JobFlowId: string, name: string): AddJobFlowStepsCommandInput {
  const script =
    'yarn application -list -appStates SUBMITTED,ACCEPTED,RUNNING | awk -F "\\t" -v name="$0" \'{ gsub(/^ +| +$/, "", $1); gsub(/^ +| +$/, "", $2) } $2 == name { print $1 }\' | xargs -r -n 1 yarn application -kill';
  return step(JobFlowId, `Cancel ${name}`, ["bash", "-c", script, name]);
}

const step = (JobFlowId: string, Name: string, Args: string[]): AddJobFlowStepsCommandInput => ({
  JobFlowId,
  Steps: [{ Name, ActionOnFailure: "CONTINUE", HadoopJarStep: { Jar: "command-runner.jar", Args } }],
});
