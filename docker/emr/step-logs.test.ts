import { expect, test } from "vitest";
import { S3 } from "../../coordinator/index.ts";
import { InputError, KindlingError } from "../../shared/errors.ts";
import type { ClusterStatus } from "./clusters.ts";
import { stepLogs } from "./step-logs.ts";

const CLUSTER: ClusterStatus = {
  ...{ id: "j-1", name: "one", state: "WAITING", reason: "", release: "emr-7.9.0", primary: null },
  ...{ logUri: "s3://logs/emr/", machines: [], steps: [] },
};

/** Finds nothing, for a reason. */
class Refusing extends S3 {
  readonly #error: Error;

  constructor(error: Error) {
    super();
    this.#error = error;
  }

  override match(): Promise<string[]> {
    return Promise.reject(this.#error);
  }
}
const logs = (error: Error) => stepLogs(new Refusing(error), CLUSTER, "s-1", false);

test("a folder without logs is told as one", async () => {
  await expect(logs(new InputError("s3://logs/*: no object matches"))).rejects.toMatchObject({
    ...{ code: "NotFound", message: expect.stringContaining("s3://logs/emr/j-1/steps/s-1/ is empty") as string },
  });
});

test.each([
  new InputError("there is no such bucket", { cause: new Error("NoSuchBucket") }),
  new KindlingError("NoCredentials", "there are no AWS credentials"),
])("S3's own errors pass: $message", async (error) => {
  await expect(logs(error)).rejects.toBe(error);
});
