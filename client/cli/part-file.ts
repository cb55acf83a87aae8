import { randomBytes } from "node:crypto";
import { type FileHandle, open, realpath, rename, rm, stat } from "node:fs/promises";
import { type ArtifactSink, isS3, uploadObject } from "../../coordinator/index.ts";
import { KindlingError } from "../../shared/errors.ts";
import { s3 } from "./s3.ts";

/** A file or an object in S3 that is written beside its target and takes its place when all is there. */
export interface PartFile extends ArtifactSink {
  /** Everything is written; the target is as it was. */
  finish(): Promise<void>;
  /** After `finish`: the target is this file now. */
  publish(): Promise<void>;
}

/** Whether a target is this process's standard output, which a shell may have given a file: that is not replaced, but written. */
export const isStdout = (target: string): boolean => target === "-" || target === "/dev/stdout";

/** Rejects with `CannotWrite`, naming the file. Links are followed; a device or a pipe is written as it is. */
export async function partFile(target: string): Promise<PartFile> {
  if (isS3(target)) return uploadObject(s3, target);
  if (isStdout(target)) return standardOutput;
  const path = await realpath(target).catch(() => target);
  const isDirect = await isSpecial(path);
  const beside = isDirect ? path : `${path}.${randomBytes(4).toString("hex")}.part`;
  const trying = async <T>(action: Promise<T>): Promise<T> => {
    try {
      return await action;
    } catch (cause) {
      throw new KindlingError("CannotWrite", `${target} cannot be written: ${(cause as Error).message}`, { cause });
    }
  };
  const handle: FileHandle = await trying(open(beside, isDirect ? "w" : "wx"));
  return {
    async write(part) {
      for (let at = 0; at < part.byteLength; ) at += (await trying(handle.write(part, at))).bytesWritten;
    },
    finish: () => trying(handle.close()),
    async publish() {
      if (!isDirect) await trying(rename(beside, path));
    },
    async abandon() {
      await handle.close().catch(() => undefined);
      if (!isDirect) await rm(beside, { force: true });
    },
  };
}

const standardOutput: PartFile = {
  write: (part) =>
    new Promise((resolve, reject) => {
      process.stdout.write(part, (cause) => {
        if (cause) reject(new KindlingError("CannotWrite", `Standard output: ${cause.message}`, { cause }));
        else resolve();
      });
    }),
  finish: async () => undefined,
  publish: async () => undefined,
  abandon: async () => undefined,
};

/** Writes a whole file, or leaves nothing behind. */
export async function writeWhole(
  target: string,
  content: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<void> {
  const file = await partFile(target);
  try {
    for await (const part of content) await file.write(part);
    await file.finish();
    await file.publish();
  } catch (error) {
    await file.abandon();
    throw error;
  }
}

/** Whether there is something at the path that must not be replaced. */
export async function isSpecial(path: string): Promise<boolean> {
  const info = await stat(path).catch(() => null);
  return info !== null && !info.isFile() && !info.isDirectory();
}
