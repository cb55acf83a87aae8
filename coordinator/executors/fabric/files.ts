import { access, constants, realpath, stat } from "node:fs/promises";
import { basename, isAbsolute, resolve, sep } from "node:path";
import { InputError } from "../../../shared/errors.ts";
import { blobHash } from "../../../shared/ids.ts";
import { UPLOAD_PREFIX } from "../../../shared/protocol/api.ts";
import { isS3, parseS3, type S3 } from "../../aws/s3.ts";
import { openObject } from "../../aws/s3-object.ts";
import type { BlobStore } from "../../store/blobs.ts";
import { fileRange } from "../../store/file-range.ts";
import type { OpenFile, ReadableSource } from "./source.ts";
import { isGzip, type Spool } from "./spool.ts";
import { systemResolve, type WebRule } from "./web-address.ts";
import { isUrl, openWebFile } from "./web-file.ts";

/** What stands for standard input. */
const STANDARD_INPUT = "-";

/** What jobs may read from elsewhere, by rule; null for nothing. */
export interface RemoteInputs {
  readonly urls: WebRule | null;
  /** Buckets, and the connection whose credentials read them. */
  readonly s3: { readonly s3: S3; readonly buckets: "any" | readonly string[] } | null;
}

/** Any file of the caller's, any URL, any object in S3, and standard input: for the local executor. */
export function openLocalFile(spool: Spool, standardInput: AsyncIterable<Uint8Array>, s3: S3): OpenFile {
  let isTaken = false;
  return async (file) => {
    if (file === STANDARD_INPUT) {
      if (isTaken) throw new InputError("standard input can be read only once: name it once");
      isTaken = true;
      const { path, bytes, sha256, read, close } = await spool.take("standard input", standardInput);
      return { name: "standard input", bytes, identity: sha256, path, read, close };
    }
    if (isS3(file)) return unpacked(await openObject(s3, file), spool, true);
    if (isUrl(file)) return openWebFile(file, { rule: "any", spool, resolve: systemResolve });
    return unpacked(await openPath(resolve(file), file), spool, true);
  };
}

/**
 * Uploaded files, paths under `dataRoot` (also through links), and URLs and S3 where there is a rule for them; nothing else. Where
 * files lie is told only to those who read them on this machine (`tellPath`).
 */
export function openServedFile(
  blobs: BlobStore,
  dataRoot: string | null,
  spool: Spool,
  { urls, s3 }: RemoteInputs,
  tellPath = false,
): OpenFile {
  const open = async (file: string): Promise<ReadableSource> => {
    if (file.startsWith(UPLOAD_PREFIX)) return openUpload(blobs, file);
    if (isS3(file)) return openAllowedObject(file, s3);
    if (isUrl(file)) {
      if (urls !== null) return openWebFile(file, { rule: urls, spool, resolve: systemResolve });
      throw new InputError(`${file}: this coordinator reads no URLs; start it with --allow-urls, or upload the file`);
    }
    if (dataRoot === null) {
      throw new InputError(
        `${file}: this coordinator opens no files of its own; start it with --data-root, or upload the file`,
      );
    }
    const root = await realpath(dataRoot).catch((cause: unknown) => {
      throw new InputError(`${file}: the folder given with --data-root is not there`, { cause });
    });
    const path = await realpath(resolve(root, file)).catch(() => null);
    const inside = root.endsWith(sep) ? root : root + sep;
    if (path === null || isAbsolute(file) || !path.startsWith(inside)) {
      throw new InputError(`${file}: no such file under the data root`);
    }
    return openPath(path, file);
  };
  return async (file) => {
    const source = await unpacked(await open(file), spool, tellPath);
    return tellPath ? source : { ...source, path: null };
  };
}

/** The coordinator's credentials may read more than who submits a job may see: only buckets that were allowed are read. */
async function openAllowedObject(file: string, allowed: RemoteInputs["s3"]): Promise<ReadableSource> {
  if (allowed === null) {
    throw new InputError(
      `${file}: this coordinator reads nothing from S3; start it with --allow-s3, or upload the file`,
    );
  }
  const { bucket } = parseS3(file);
  if (allowed.buckets !== "any" && !allowed.buckets.includes(bucket)) {
    throw new InputError(`${file}: ${bucket} is not among the buckets that --allow-s3 names`);
  }
  return openObject(allowed.s3, file);
}

/** The source as it is, or what it unpacks to if it is gzip. */
async function unpacked(source: ReadableSource, spool: Spool, tellPath: boolean): Promise<ReadableSource> {
  if (source.close !== undefined || !isGzip(await beginOf(source))) return source;
  const { path, bytes, read, close } = await spool.take(source.name, source.read(0, source.bytes));
  return { name: source.name, bytes, identity: source.identity, path: tellPath ? path : null, read, close };
}

async function beginOf(source: ReadableSource): Promise<Uint8Array> {
  const begin: number[] = [];
  for await (const part of source.read(0, Math.min(2, source.bytes))) begin.push(...part);
  return Uint8Array.from(begin);
}

async function openPath(path: string, name: string): Promise<ReadableSource> {
  const info = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    const why = cause.code === "ENOENT" ? "no such file" : cause.message;
    throw new InputError(`${name}: ${why}`, { cause });
  });
  if (!info.isFile()) throw new InputError(`${name}: not a file`);
  await access(path, constants.R_OK).catch((cause: unknown) => {
    throw new InputError(`${name}: may not be read`, { cause });
  });
  return {
    name,
    bytes: info.size,
    identity: `${info.size} bytes, modified ${info.mtimeMs}`,
    path,
    read: (start, end) => fileRange(path, start, end),
  };
}

async function openUpload(blobs: BlobStore, file: string): Promise<ReadableSource> {
  const [digest = "", name = ""] = file.slice(UPLOAD_PREFIX.length).split(/\/(.*)/s);
  if (!/^[0-9a-f]{64}$/.test(digest)) throw new InputError(`${file}: not the name of an upload`);
  const hash = blobHash(digest);
  const bytes = await blobs.size(hash);
  if (bytes === null) throw new InputError(`${name || digest}: was never uploaded to this coordinator`);
  return {
    name: basename(name) || digest,
    bytes,
    identity: digest,
    path: blobs.pathOf(hash),
    read: (start, end) => blobs.read(hash, start, end),
  };
}
