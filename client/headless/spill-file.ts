import { closeSync, ftruncateSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { randomUUID } from "node:crypto";
import { KindlingError } from "../../shared/errors.ts";
import type { SpillFile } from "../node/spill.ts";

/** A file in the system's folder for temporary ones. It has no name while it is open, where the system allows that: nothing stays behind. */
export function temporarySpillFile(): SpillFile {
  const path = join(tmpdir(), `kindling-spill-${randomUUID()}`);
  const file = openSync(path, "wx+", 0o600);
  const remove = (): void => rmSync(path, { force: true });
  if (process.platform !== "win32") remove();
  return {
    write(bytes, at) {
      for (let done = 0; done < bytes.byteLength; ) {
        done += orFull(path, () => writeSync(file, bytes, done, bytes.byteLength - done, at + done));
      }
    },
    read(target, at) {
      for (let done = 0; done < target.byteLength; ) {
        const got = readSync(file, target, done, target.byteLength - done, at + done);
        if (got === 0) throw new KindlingError("SpillLost", `${path} is shorter than what was written to it`);
        done += got;
      }
    },
    clear: () => ftruncateSync(file, 0),
    close() {
      closeSync(file);
      remove();
    },
  };
}

function orFull<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ENOSPC") throw cause;
    const message = `The disk with ${path} is full: free some space, or name another with TMPDIR`;
    throw new KindlingError("SpillFull", message, { retryable: true, cause });
  }
}
