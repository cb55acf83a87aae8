import { gunzipSync } from "node:zlib";
import { openObject, type S3 } from "../../coordinator/index.ts";
import { InputError, KindlingError } from "../../shared/errors.ts";
import type { ClusterStatus } from "./clusters.ts";

/** Bytes of one log that are shown: its end. */
const MAX_SHOWN = 1_000_000;

export interface StepLog {
  /** `stderr`, or `application_1_1/container_1_1_01_000001/stdout`. */
  readonly name: string;
  readonly text: string;
}

/**
 * What EMR has copied to S3 of a step's logs (it does so every few minutes), or, with `containers`, of the application masters', where a
 * driver in cluster mode writes. Rejects with a KindlingError where there is nothing yet.
 */
export async function stepLogs(
  s3: S3,
  cluster: ClusterStatus,
  step: string | undefined,
  containers: boolean,
): Promise<StepLog[]> {
  if (cluster.logUri === null) {
    throw new KindlingError("NotFound", `cluster ${cluster.id} keeps no logs: it was started without --log-uri`);
  }
  const chosen = step ?? cluster.steps[0]?.id;
  if (chosen === undefined) throw new KindlingError("NotFound", `cluster ${cluster.id} has run no step`);
  if (!/^s-[A-Z0-9]+$/.test(chosen)) {
    throw new KindlingError("BadUsage", `a step's id is such as s-2AXXXXXXGAPLF, not ${JSON.stringify(chosen)}`);
  }
  const root = `${cluster.logUri.replace(/\/*$/, "")}/${cluster.id}`;
  const folder = containers ? `${root}/containers/` : `${root}/steps/${chosen}/`;
  const pattern = containers ? `${folder}*/*_000001/{stdout,stderr}.gz` : `${folder}*.gz`;
  const found = await s3.match(pattern).catch((cause: unknown) => {
    // One without a cause says that nothing matches; all others are S3's.
    if (!(cause instanceof InputError) || cause.cause !== undefined) throw cause;
    throw new KindlingError(
      "NotFound",
      `${folder} is empty: EMR copies logs to S3 a few minutes after they are written`,
      { cause },
    );
  });
  return Promise.all(
    found.map(async (address) => ({
      name: address.slice(folder.length).replace(/[.]gz$/, ""),
      text: gunzipSync(await whole(s3, address))
        .subarray(-MAX_SHOWN)
        .toString("utf8"),
    })),
  );
}

async function whole(s3: S3, address: string): Promise<Uint8Array> {
  const source = await openObject(s3, address);
  const parts: Uint8Array[] = [];
  for await (const part of source.read(0, source.bytes)) parts.push(part);
  return Buffer.concat(parts);
}
