import { createReadStream, createWriteStream } from "node:fs";
import { copyFile, mkdir, readFile, rm } from "node:fs/promises";
import { dirname, isAbsolute, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import { KindlingError } from "../../../../shared/errors.ts";
import { isS3, type S3 } from "../../../aws/s3.ts";
import { openObject } from "../../../aws/s3-object.ts";
import { uploadObject } from "../../../aws/s3-upload.ts";

/** A place that this machine and a cluster both reach, for one application: its files on the way there, its results on the way back. */
export interface Staging {
  /** What a cluster calls a file of it. */
  url(name: string): string;
  put(name: string, path: string): Promise<void>;
  /** Null where there is no such file (yet). */
  read(name: string): Promise<Uint8Array | null>;
  fetch(name: string, path: string): Promise<void>;
  /** Deletes all of it. */
  remove(): Promise<void>;
}

/** `folder` of a place such as `s3://BUCKET/PREFIX` or `/a/shared/folder`. Throws `BadUsage`. */
export function openStaging(place: string, folder: string, s3: S3): Staging {
  if (isS3(place)) return s3Staging(s3, `${place.replace(/\/+$/, "")}/${folder}`);
  const path = place.startsWith("file://") ? fileURLToPath(place) : place;
  if (!isAbsolute(path)) {
    throw new KindlingError(
      "BadUsage",
      `--staging takes s3://BUCKET/PREFIX, or the path of a folder that the cluster has too, not ${JSON.stringify(place)}`,
    );
  }
  return folderStaging(join(path, folder));
}

function s3Staging(s3: S3, root: string): Staging {
  const url = (name: string): string => `${root}/${name}`;
  return {
    url,
    async put(name, path) {
      const upload = uploadObject(s3, url(name));
      try {
        for await (const part of createReadStream(path, { highWaterMark: 2 ** 20 }))
          await upload.write(part as Uint8Array);
        await upload.finish();
        await upload.publish();
      } catch (error) {
        await upload.abandon();
        throw error;
      }
    },
    async read(name) {
      try {
        const { bytes, read } = await openObject(s3, url(name));
        const parts: Uint8Array[] = [];
        for await (const part of read(0, bytes)) parts.push(part);
        return Buffer.concat(parts);
      } catch (error) {
        // It is not there, or was written anew between two requests: the next look sees it.
        if (error instanceof KindlingError && ["BadInput", "InputChanged"].includes(error.code)) return null;
        throw error;
      }
    },
    async fetch(name, path) {
      const { bytes, read } = await openObject(s3, url(name));
      await pipeline(read(0, bytes), createWriteStream(path, { mode: 0o600 }));
    },
    remove: () => s3.removeAll(`${root}/`),
  };
}

function folderStaging(root: string): Staging {
  return {
    url: (name) => pathToFileURL(join(root, name)).href,
    async put(name, path) {
      await mkdir(dirname(join(root, name)), { recursive: true });
      await copyFile(path, join(root, name));
    },
    read: (name) =>
      readFile(join(root, name)).catch((error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return null;
        throw error;
      }),
    fetch: (name, path) => copyFile(join(root, name), path),
    remove: () => rm(root, { recursive: true, force: true }),
  };
}
