import { KindlingError } from "../../shared/errors.ts";
import type { SpillFile } from "../node/spill.ts";

/** The folder in the origin's private file system, and the lock under which tabs make and clean up its files. */
const FOLDER = "kindling-spill";

/** What a worker may do with a file at once; the compiler's library for pages does not know it. */
interface SyncAccess {
  read(target: Uint8Array, options: { readonly at: number }): number;
  write(bytes: Uint8Array, options: { readonly at: number }): number;
  truncate(bytes: number): void;
  close(): void;
}

/** The part of a `navigator` that is used; outside secure contexts it is not there. */
export interface PrivateFiles {
  readonly storage?: Pick<StorageManager, "getDirectory">;
  readonly locks?: Pick<LockManager, "request">;
}

/**
 * A file in the browser's private file system, for one tab's outputs. Undefined where the browser has none (outside secure contexts, in
 * some private windows). What tabs left that are gone is deleted: a file in use is locked by the tab that has it open.
 */
export async function openSpillFile({ storage, locks }: PrivateFiles): Promise<SpillFile | undefined> {
  if (storage === undefined || locks === undefined) return undefined;
  const name = crypto.randomUUID();
  try {
    return await locks.request(FOLDER, async () => {
      const folder = await (await storage.getDirectory()).getDirectoryHandle(FOLDER, { create: true });
      await deleteUnused(folder);
      const file = await folder.getFileHandle(name, { create: true });
      const access = await (
        file as unknown as { createSyncAccessHandle(): Promise<SyncAccess> }
      ).createSyncAccessHandle();
      return spillFile(access, () => folder.removeEntry(name));
    });
  } catch {
    // Each browser has its own error for what its user does not allow.
    return undefined;
  }
}

async function deleteUnused(folder: FileSystemDirectoryHandle): Promise<void> {
  const names: string[] = [];
  for await (const name of folder.keys()) names.push(name);
  for (const name of names) await folder.removeEntry(name).catch(() => undefined);
}

function spillFile(access: SyncAccess, remove: () => Promise<void>): SpillFile {
  return {
    write(bytes, at) {
      const done = orFull(() => access.write(bytes, { at }));
      if (done < bytes.byteLength) throw full();
    },
    read(target, at) {
      const got = access.read(target, { at });
      if (got < target.byteLength) throw new KindlingError("SpillLost", "The browser's file is shorter than it was");
    },
    clear: () => access.truncate(0),
    close() {
      access.close();
      // If the page goes before, the next start does it.
      remove().catch(() => undefined);
    },
  };
}

function orFull<T>(act: () => T): T {
  try {
    return act();
  } catch (cause) {
    if ((cause as { readonly name?: string }).name === "QuotaExceededError") throw full(cause);
    throw cause;
  }
}

/** Another node may have room. */
const full = (cause?: unknown): KindlingError =>
  new KindlingError("SpillFull", "The browser gives this tab no more storage: free some on this device", {
    retryable: true,
    cause,
  });
