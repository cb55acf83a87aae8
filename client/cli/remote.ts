import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { Readable } from "node:stream";
import { readTokens } from "../../coordinator/index.ts";
import { InputError, KindlingError } from "../../shared/errors.ts";
import { type ArtifactView, UPLOAD_PREFIX } from "../../shared/protocol/api.ts";
import { type ApiClient, createApiClient } from "../api/client.ts";
import { isUrl, STANDARD_INPUT } from "./input-files.ts";
import { splitLink } from "./link.ts";
import type { OutFiles } from "./out-files.ts";

/**
 * A client for the coordinator at `on`. The token comes from the option, the link's fragment, the environment, or, on this machine,
 * from the coordinator's data directory. Throws `BadUsage` where there is none.
 */
export async function connectTo(options: {
  on: string;
  token?: string | undefined;
  dataDir: string;
}): Promise<ApiClient> {
  const { url, token } = splitLink(options.on);
  const local = ["127.0.0.1", "localhost", "[::1]"].includes(url.hostname);
  const found =
    options.token ??
    token ??
    process.env["KINDLING_TOKEN"] ??
    (local ? (await readTokens(options.dataDir))?.operator : undefined);
  if (!found) {
    throw new KindlingError(
      "BadUsage",
      `No token for ${url.origin}: give --token or the dashboard's link, or set KINDLING_TOKEN`,
    );
  }
  return createApiClient({ url: url.origin, token: found });
}

/** Uploads one of the caller's files, or standard input; gives the value of the parameter that names it. A URL is the coordinator's to read. */
export async function uploadFile(client: ApiClient, file: string): Promise<string> {
  if (isUrl(file)) return file;
  if (file === STANDARD_INPUT) {
    const { hash } = await client.uploadFile(Readable.toWeb(process.stdin) as ReadableStream<Uint8Array>);
    return `${UPLOAD_PREFIX}${hash}/standard input`;
  }
  const info = await stat(file).catch((cause: NodeJS.ErrnoException) => {
    throw new InputError(`${file}: ${cause.code === "ENOENT" ? "no such file" : cause.message}`, { cause });
  });
  if (!info.isFile()) throw new InputError(`${file}: not a file`);
  const { hash } = await client.uploadFile(Readable.toWeb(createReadStream(file)) as ReadableStream<Uint8Array>);
  return `${UPLOAD_PREFIX}${hash}/${basename(file)}`;
}

/** Brings a result file to where it belongs, if anywhere. Rejects with `Interrupted` where other bytes arrive than were made. */
export async function download(
  client: Pick<ApiClient, "artifact">,
  job: string,
  artifact: ArtifactView,
  outFiles: OutFiles,
  signal: AbortSignal,
): Promise<void> {
  const sink = await outFiles.open(artifact.name);
  if (outFiles.pathOf(artifact.name) === null) return;
  const hash = createHash("sha256");
  for await (const part of await client.artifact(job, artifact.name)) {
    if (signal.aborted) throw new KindlingError("Cancelled", `Interrupted; ${job} is done and keeps its results`);
    hash.update(part);
    await sink.write(part);
  }
  if (hash.digest("hex") !== artifact.sha256) {
    throw new KindlingError("Interrupted", `${artifact.name} did not arrive whole: fetch it from the dashboard`);
  }
  await sink.finish();
}
