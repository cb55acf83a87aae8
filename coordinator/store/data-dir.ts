import { constants } from "node:fs";
import { access, mkdir, open, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { KindlingError } from "../../shared/errors.ts";

/** Makes the folder if it is not there, for this user alone. Rejects with `StorageFailed` naming the path. */
export async function makeDataDir(path: string): Promise<void> {
  try {
    await makeFolder(path, 0o700);
    await access(path, constants.W_OK);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new KindlingError(
      "StorageFailed",
      `Cannot write in the data directory ${path}: ${reason}; choose another with --data-dir`,
      { cause },
    );
  }
}

/**
 * As `mkdir -p`. Node's own recursive `mkdir` never ends where a file system answers `ENOENT` although the parent is there, as
 * `/proc` does.
 */
export async function makeFolder(path: string, mode = 0o777): Promise<void> {
  const error = await tryMkdir(path, mode);
  if (error === null) return;
  const parent = dirname(resolve(path));
  if (error.code !== "ENOENT" || parent === resolve(path)) throw error;
  await makeFolder(parent, mode);
  const second = await tryMkdir(path, mode);
  if (second !== null) throw second;
}

/** Null where the folder is there afterwards. */
async function tryMkdir(path: string, mode: number): Promise<NodeJS.ErrnoException | null> {
  try {
    await mkdir(path, { mode });
    return null;
  } catch (error) {
    const isThere = await stat(path).then(
      (info) => info.isDirectory(),
      () => false,
    );
    return isThere ? null : (error as NodeJS.ErrnoException);
  }
}

/** Makes the names in a folder durable: a rename is on disk only after its folder was synced. */
export async function syncDir(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
