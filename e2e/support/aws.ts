import { spawn } from "node:child_process";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { S3Client } from "@aws-sdk/client-s3";
import { preparePython } from "./python.ts";
import { until } from "./until.ts";

const PROJECT = join(import.meta.dirname, "../..");

/** The private Python of the stand-ins for AWS's API and of the checkers of Dockerfiles and settings. */
export const AWS_PYTHON = join(PROJECT, ".python/aws");
export const ensureAwsPython = (say: (line: string) => void): void =>
  preparePython(AWS_PYTHON, join(PROJECT, "e2e/aws/requirements.txt"), say);

export interface StandIn {
  readonly url: string;
  /** For commands that are to talk to it: credentials that are none, and no way to the real ones. */
  readonly env: Record<string, string>;
  /** For looking at what they did. */
  readonly s3: S3Client;
  close(): Promise<void>;
}

/** Starts moto, which answers as AWS's API does, on loopback. */
export async function startMoto(): Promise<StandIn> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const child = spawn(join(AWS_PYTHON, "bin/moto_server"), ["-H", "127.0.0.1", "-p", String(port)], {
    stdio: "ignore",
  });
  const ended = new Promise<void>((done) => child.once("close", () => done()));
  await until("moto answers", async () => {
    if (child.exitCode !== null) throw new Error(`moto ended with ${child.exitCode}`);
    return await fetch(`${url}/moto-api/`).then(
      ({ ok }) => ok,
      () => false,
    );
  });
  const credentials = { accessKeyId: "testing", secretAccessKey: "testing-secret" };
  return {
    url,
    env: {
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_REGION: "us-east-1",
      AWS_ENDPOINT_URL: url,
      ...NO_CREDENTIALS,
    },
    s3: new S3Client({ endpoint: url, region: "us-east-1", forcePathStyle: true, credentials }),
    async close() {
      child.kill("SIGTERM");
      await ended;
    },
  };
}

/** Hides what this machine may know of AWS. */
export const NO_CREDENTIALS: Readonly<Record<string, string>> = {
  AWS_CONFIG_FILE: "/dev/null",
  AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
  AWS_EC2_METADATA_DISABLED: "true",
};

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}
