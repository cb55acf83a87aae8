import { constants } from "node:fs";
import { access, mkdir, open } from "node:fs/promises";
import { KindlingError } from "../../shared/errors.ts";

/** Makes the folder if it is not there, for this user alone. Rejects with `StorageFailed` naming the path. */
export async function makeDataDir(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
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

/** Makes the names in a folder durable: a rename is on disk only after its folder was synced. */
export async function syncDir(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
