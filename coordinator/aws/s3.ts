import { matchesGlob } from "node:path";
import type * as Sdk from "@aws-sdk/client-s3";
import { InputError, KindlingError } from "../../shared/errors.ts";
import { awsError, explainAws } from "./errors.ts";

/** `s3://BUCKET/KEY`. */
export interface S3Address {
  readonly bucket: string;
  readonly key: string;
}

/** Tries of one request; the SDK waits between them. */
const TRIES = "5";
/** Keys that one pattern may match. */
const MAX_KEYS = 100_000;

export const isS3 = (text: string): boolean => /^s3:\/\//i.test(text);

/** A key is taken as it is written: nothing in it is decoded. Throws `BadUsage`. */
export function parseS3(text: string): S3Address {
  const [, bucket, key] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])\/(.*[^/])$/is.exec(text) ?? [];
  if (bucket !== undefined && key !== undefined) return { bucket, key };
  throw new KindlingError("BadUsage", `${text} names no object: write s3://BUCKET/KEY`);
}

/**
 * A connection to S3, made when it is first used: the SDK is large. Credentials, region and endpoint come from the SDK's own chain
 * (environment, shared files, SSO, the machine's role); none is read, kept or shown here.
 */
export class S3 {
  readonly #config: Sdk.S3ClientConfig;
  #connection: Promise<{ readonly sdk: typeof Sdk; readonly client: Sdk.S3Client }> | null = null;

  constructor(config: Sdk.S3ClientConfig = {}) {
    this.#config = config;
  }

  connect(): Promise<{ readonly sdk: typeof Sdk; readonly client: Sdk.S3Client }> {
    this.#connection ??= this.#open();
    return this.#connection;
  }

  /** Rejects with `CannotWrite` where an object cannot be written: asked by beginning an upload, which leaves nothing. */
  async checkWritable(text: string): Promise<void> {
    const { bucket: Bucket, key: Key } = parseS3(text);
    const { sdk, client } = await this.connect();
    try {
      const { UploadId } = await client.send(new sdk.CreateMultipartUploadCommand({ Bucket, Key }));
      // Nothing was sent: an upload that cannot be taken back is empty.
      await client.send(new sdk.AbortMultipartUploadCommand({ Bucket, Key, UploadId })).catch(() => undefined);
    } catch (error) {
      throw cannotWrite(text, error);
    }
  }

  /** All objects whose whole key matches a glob, sorted by key; rejects with `InputError` where none does. */
  async match(pattern: string): Promise<string[]> {
    const { bucket: Bucket, key } = parseS3(pattern);
    const Prefix = key.slice(0, key.search(/[*?[\]{}]/));
    const { sdk, client } = await this.connect();
    const keys: string[] = [];
    try {
      for await (const { Contents } of sdk.paginateListObjectsV2({ client }, { Bucket, Prefix })) {
        for (const { Key } of Contents ?? []) if (Key !== undefined && matchesGlob(Key, key)) keys.push(Key);
        if (keys.length > MAX_KEYS) throw new InputError(`${pattern}: more than ${MAX_KEYS} objects match`);
      }
    } catch (error) {
      throw cannotRead(pattern, error);
    }
    if (keys.length === 0) throw new InputError(`${pattern}: no object matches`);
    return keys.sort((a, b) => (a < b ? -1 : 1)).map((found) => `s3://${Bucket}/${found}`);
  }

  /** Deletes all objects whose address begins with `prefix`. */
  async removeAll(prefix: string): Promise<void> {
    const { bucket: Bucket, key } = parseS3(`${prefix}*`);
    const { sdk, client } = await this.connect();
    try {
      for await (const { Contents } of sdk.paginateListObjectsV2({ client }, { Bucket, Prefix: key.slice(0, -1) })) {
        const Objects = (Contents ?? []).map(({ Key }) => ({ Key }));
        if (Objects.length === 0) continue;
        const { Errors } = await client.send(
          new sdk.DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } }),
        );
        const [first] = Errors ?? [];
        if (first !== undefined)
          throw new KindlingError("CannotWrite", `${prefix}: ${first.Key} stays: ${first.Message}`);
      }
    } catch (error) {
      throw cannotWrite(prefix, error);
    }
  }

  async #open(): Promise<{ readonly sdk: typeof Sdk; readonly client: Sdk.S3Client }> {
    const sdk = await import("@aws-sdk/client-s3");
    const isElsewhere = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"].some((name) => process.env[name] !== undefined);
    const client = new sdk.S3Client({
      maxAttempts: Number(process.env["AWS_MAX_ATTEMPTS"] ?? TRIES),
      followRegionRedirects: true,
      // A server that stands in for S3 rarely has a host name for each bucket.
      ...(isElsewhere ? { forcePathStyle: true } : {}),
      ...this.#config,
    });
    return { sdk, client };
  }
}

/** Why an object cannot be read, naming it. */
export function cannotRead(text: string, error: unknown): KindlingError {
  if (error instanceof KindlingError) return error;
  const { name, status } = awsError(error);
  if (name === "NoSuchBucket") return new InputError(`${text}: there is no such bucket`, { cause: error });
  if (status === 404) return new InputError(`${text}: there is no such object`, { cause: error });
  const explained = explainAws(error, text);
  return explained.code === "AccessDenied" ? new InputError(explained.message, { cause: error }) : explained;
}

/** Why an object cannot be written, naming it. */
export function cannotWrite(text: string, error: unknown): KindlingError {
  if (error instanceof KindlingError) return error;
  const isMissing = awsError(error).name === "NoSuchBucket";
  const { message } = isMissing ? { message: `${text}: there is no such bucket` } : explainAws(error, text);
  return new KindlingError("CannotWrite", message, { cause: error });
}
