import { KindlingError } from "../../../../shared/errors.ts";
import { emrServerless } from "./emr-serverless.ts";
import { emrSteps } from "./emr-steps.ts";
import { livy } from "./livy.ts";
import type { RemoteCluster } from "./remote.ts";

/** Reads `livy:URL`, `emr:CLUSTER_ID` or `emr-serverless:APP_ID`. Throws `BadUsage`. */
export function remoteCluster(text: string, executionRole: string | undefined): RemoteCluster {
  const [, kind, address = ""] = /^([a-z-]+):(.*)$/s.exec(text) ?? [];
  if (kind === "livy") return livy(address);
  if (kind === "emr") return emrSteps(address);
  if (kind === "emr-serverless") return emrServerless(address, executionRole);
  throw new KindlingError(
    "BadUsage",
    `--submit takes spark-submit, livy:URL, emr:CLUSTER_ID or emr-serverless:APP_ID, not ${JSON.stringify(text)}`,
  );
}
