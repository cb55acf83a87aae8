import { createReadStream } from "node:fs";
import { access, constants, realpath, stat } from "node:fs/promises";
import { basename, isAbsolute, resolve, sep } from "node:path";
import { InputError } from "../../../shared/errors.ts";
import { blobHash } from "../../../shared/ids.ts";
import { UPLOAD_PREFIX } from "../../../shared/protocol/api.ts";
import type { BlobStore } from "../../store/blobs.ts";
import type { OpenedSource } from "../executor.ts";

/** An input that nodes may read ranges of. */
export interface ReadableSource extends OpenedSource {
  /** Where it lies, if nodes of this process may open it themselves. */
  readonly path: string | null;
  read(start: number, end: number): AsyncIterable<Uint8Array>;
}

/** Turns a `file()` parameter into a source. Rejects with `InputError`. */
export type OpenFile = (file: string) => Promise<ReadableSource>;

/** Any file of the caller's: for the local executor. */
export const openLocalFile: OpenFile = (file) => openPath(resolve(file), file);

/** Uploaded files, and paths under `dataRoot` (also through links); nothing else. */
export function openServedFile(blobs: BlobStore, dataRoot: string | null): OpenFile {
  return async (file) => {
    if (file.startsWith(UPLOAD_PREFIX)) return openUpload(blobs, file);
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
    return { ...(await openPath(path, file)), path: null };
  };
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
    read: (start, end) => (end > start ? createReadStream(path, { start, end: end - 1 }) : nothing()),
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
    path: null,
    read: (start, end) => blobs.read(hash, start, end),
  };
}

async function* nothing(): AsyncIterable<Uint8Array> {}
