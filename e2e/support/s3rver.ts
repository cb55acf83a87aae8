import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { S3Client } from "@aws-sdk/client-s3";
import { NO_CREDENTIALS, type StandIn } from "./aws.ts";

/** It has no types. */
interface Server {
  run(): Promise<AddressInfo>;
  close(): Promise<void>;
}
const Server = createRequire(import.meta.url)("s3rver") as new (options: object) => Server;
const KEY = "S3RVER";

/** Starts a server that speaks S3, on loopback, with one bucket. */
export async function startS3rver(bucket: string): Promise<StandIn> {
  const directory = mkdtempSync(join(tmpdir(), "kindling-s3rver-"));
  const configureBuckets = [{ name: bucket }];
  const server = new Server({ port: 0, address: "127.0.0.1", silent: true, directory, configureBuckets });
  const { port } = await server.run();
  const url = `http://127.0.0.1:${port}`;
  const credentials = { accessKeyId: KEY, secretAccessKey: KEY };
  const env = { AWS_ACCESS_KEY_ID: KEY, AWS_SECRET_ACCESS_KEY: KEY, AWS_REGION: "us-east-1", AWS_ENDPOINT_URL: url };
  return {
    url,
    env: { ...env, ...NO_CREDENTIALS },
    s3: new S3Client({ endpoint: url, region: "us-east-1", forcePathStyle: true, credentials }),
    async close() {
      await server.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
