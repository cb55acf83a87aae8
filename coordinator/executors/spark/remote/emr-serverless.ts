import type { StartJobRunCommandInput } from "@aws-sdk/client-emr-serverless";
import { KindlingError } from "../../../../shared/errors.ts";
import { explainAws } from "../../../aws/errors.ts";
import type { RemoteCluster, RemoteRequest, RemoteState } from "./remote.ts";
import { submitWords } from "./submit-words.ts";

const STATES: Readonly<Record<string, RemoteState["state"]>> = {
  SUBMITTED: "waiting",
  PENDING: "waiting",
  SCHEDULED: "waiting",
  QUEUED: "waiting",
  SUCCESS: "succeeded",
  FAILED: "failed",
  CANCELLED: "cancelled",
};

/** An EMR Serverless application whose image has Node. `role`: what its jobs may do. Throws `BadUsage`. */
export function emrServerless(applicationId: string, role: string | undefined): RemoteCluster {
  if (!/^[0-9a-z]{1,64}$/.test(applicationId)) {
    throw new KindlingError(
      "BadUsage",
      `--submit emr-serverless:APP_ID takes an id such as 00f1abcd2efgh345, not ${JSON.stringify(applicationId)}`,
    );
  }
  if (role === undefined || !/^arn:aws[a-z0-9-]*:iam::\d{12}:role\/.+$/.test(role)) {
    throw new KindlingError(
      "BadUsage",
      "--submit emr-serverless:APP_ID needs --execution-role arn:aws:iam::ACCOUNT:role/NAME",
    );
  }
  const failed = (error: unknown): never => {
    throw explainAws(error, `EMR Serverless application ${applicationId}`);
  };
  return {
    print: (request) => `emr-serverless StartJobRun\n${JSON.stringify(runOf(applicationId, role, request), null, 2)}`,
    async submit(request) {
      const sdk = await import("@aws-sdk/client-emr-serverless");
      const client = new sdk.EMRServerlessClient();
      const { jobRunId } = await client
        .send(new sdk.StartJobRunCommand(runOf(applicationId, role, request)))
        .catch(failed);
      if (jobRunId === undefined)
        throw new KindlingError("AwsRefused", `${applicationId} has taken a job without an id`);
      const run = { applicationId, jobRunId };
      return {
        where: `EMR Serverless, application ${applicationId}, job run ${jobRunId}`,
        async look() {
          const { jobRun } = await client.send(new sdk.GetJobRunCommand(run)).catch(failed);
          return { state: STATES[jobRun?.state ?? ""] ?? "running", reason: jobRun?.stateDetails ?? "", lines: [] };
        },
        async cancel() {
          await client.send(new sdk.CancelJobRunCommand(run)).catch(failed);
        },
      };
    },
  };
}

const runOf = (applicationId: string, executionRoleArn: string, request: RemoteRequest): StartJobRunCommandInput => ({
  applicationId,
  executionRoleArn,
  // A request that is sent twice starts one run: its staging folder is its own.
  clientToken: request.main.slice(-64).replaceAll(/[^A-Za-z0-9._-]/g, "-"),
  name: request.name.slice(0, 64),
  jobDriver: {
    sparkSubmit: {
      entryPoint: request.main,
      entryPointArguments: [...request.args],
      sparkSubmitParameters: submitWords(request).map(quoted).join(" "),
    },
  },
});

/** A word of parameters that are split as a shell would. */
const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `"${word.replaceAll(/["\\$`]/g, "\\$&")}"`;
