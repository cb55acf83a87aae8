import type { CompletedPart } from "@aws-sdk/client-s3";
import type { ArtifactSink } from "../jobs/artifacts.ts";
import { cannotWrite, parseS3, type S3 } from "./s3.ts";

/** Bytes of one part: an upload has 10,000 at most, so that later ones are larger (576 GB in all). */
const PART_BYTES = 8 * 1024 * 1024;
const LATER_PART_BYTES = 64 * 1024 * 1024;
const SMALL_PARTS = 1_000;
/** Parts that are on their way at a time. */
const MAX_UNDER_WAY = 4;

/** An object that is uploaded beside what is there, and takes its place all at once. */
export interface S3Upload extends ArtifactSink {
  /** All is sent; the object is as it was. */
  finish(): Promise<void>;
  /** After `finish`: the object is this one now. */
  publish(): Promise<void>;
}

/** All methods reject with `CannotWrite`, naming the object. */
export function uploadObject(s3: S3, text: string): S3Upload {
  const { bucket: Bucket, key: Key } = parseS3(text);
  const parts: Promise<CompletedPart>[] = [];
  let buffer = new Uint8Array(PART_BYTES);
  let filled = 0;
  let upload: string | undefined;

  const trying = async <T>(action: () => Promise<T>): Promise<T> => {
    try {
      return await action();
    } catch (error) {
      throw cannotWrite(text, error);
    }
  };

  async function sendPart(): Promise<void> {
    const { sdk, client } = await s3.connect();
    upload ??= (await client.send(new sdk.CreateMultipartUploadCommand({ Bucket, Key }))).UploadId;
    const UploadId = upload;
    const PartNumber = parts.length + 1;
    const Body = buffer.subarray(0, filled);
    await parts.at(-MAX_UNDER_WAY);
    const sent = client
      .send(new sdk.UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body }))
      .then(({ ETag, ChecksumCRC32 }): CompletedPart => ({ PartNumber, ETag, ChecksumCRC32 }));
    // A failure is told by whoever waits for this part, at the latest by `finish`.
    sent.catch(() => undefined);
    parts.push(sent);
    buffer = new Uint8Array(parts.length < SMALL_PARTS ? PART_BYTES : LATER_PART_BYTES);
    filled = 0;
  }

  return {
    write: (part) =>
      trying(async () => {
        for (let at = 0; at < part.byteLength; ) {
          const taken = part.subarray(at, at + buffer.byteLength - filled);
          buffer.set(taken, filled);
          filled += taken.byteLength;
          at += taken.byteLength;
          if (filled === buffer.byteLength) await sendPart();
        }
      }),
    finish: () =>
      trying(async () => {
        if (upload !== undefined && filled > 0) await sendPart();
        await Promise.all(parts);
      }),
    publish: () =>
      trying(async () => {
        const { sdk, client } = await s3.connect();
        if (upload === undefined) {
          await client.send(new sdk.PutObjectCommand({ Bucket, Key, Body: buffer.subarray(0, filled) }));
        } else {
          const MultipartUpload = { Parts: await Promise.all(parts) };
          await client.send(new sdk.CompleteMultipartUploadCommand({ Bucket, Key, UploadId: upload, MultipartUpload }));
        }
      }),
    async abandon() {
      await Promise.allSettled(parts);
      if (upload === undefined) return;
      const { sdk, client } = await s3.connect();
      await client.send(new sdk.AbortMultipartUploadCommand({ Bucket, Key, UploadId: upload })).catch(() => undefined);
    },
  };
}
