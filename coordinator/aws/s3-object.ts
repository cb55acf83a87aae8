import { setTimeout as wait } from "node:timers/promises";
import { KindlingError } from "../../shared/errors.ts";
import type { ReadableSource } from "../executors/fabric/source.ts";
import { awsError } from "./errors.ts";
import { cannotRead, parseS3, type S3 } from "./s3.ts";

/** Times that one range may break off without a byte in between; each time it goes on where it stopped. */
const MAX_BREAKS = 4;
/** ms before the first of them. */
const PAUSE_MS = 100;

/** An object in S3, read in ranges, known by its ETag and size. Rejects with `InputError`, naming it. */
export async function openObject(s3: S3, text: string): Promise<ReadableSource> {
  const { bucket: Bucket, key: Key } = parseS3(text);
  const { sdk, client } = await s3.connect();
  const { ContentLength: bytes, ETag: etag } = await client
    .send(new sdk.HeadObjectCommand({ Bucket, Key }))
    .catch((error: unknown) => {
      throw cannotRead(text, error);
    });
  if (bytes === undefined || etag === undefined) {
    throw new KindlingError("AwsRefused", `${text}: the server tells no size or no ETag`);
  }

  async function* read(start: number, end: number): AsyncIterable<Uint8Array> {
    let at = start;
    let breaks = 0;
    while (at < end) {
      try {
        const Range = `bytes=${at}-${end - 1}`;
        const answer = await client.send(new sdk.GetObjectCommand({ Bucket, Key, Range, IfMatch: etag }));
        // A server that knows no If-Match still says what it sends.
        if (answer.ETag !== etag) throw changed(text);
        for await (const part of answer.Body as AsyncIterable<Uint8Array>) {
          at += part.byteLength;
          breaks = 0;
          yield part;
        }
        if (at < end) throw new Error("the answer ended early");
      } catch (error) {
        const { status } = awsError(error);
        if (status === 412) throw changed(text, error);
        if (error instanceof KindlingError || (status !== undefined && status >= 400) || ++breaks > MAX_BREAKS) {
          throw cannotRead(text, error);
        }
        await wait(PAUSE_MS * 2 ** breaks);
      }
    }
  }

  return { name: text, bytes, identity: `ETag ${etag}, ${bytes} bytes`, path: null, read };
}

const changed = (text: string, cause?: unknown): KindlingError =>
  new KindlingError("InputChanged", `${text} changed while the job was under way: run the job again`, { cause });
