import { KindlingError } from "../../shared/errors.ts";

/** SQLite's primary result codes for a full disk. https://www.sqlite.org/rescode.html */
const SQLITE_FULL = 13;
const FULL = new Set(["ENOSPC", "EDQUOT"]);

/** What the file system or SQLite threw, as `StorageFull` or `StorageFailed` with the path that it was about. */
export function storageError(cause: unknown, path: string): KindlingError {
  if (cause instanceof KindlingError) return cause;
  const { code, errcode } = (typeof cause === "object" && cause !== null ? cause : {}) as Record<string, unknown>;
  const reason = cause instanceof Error ? cause.message : String(cause);
  const full =
    (typeof code === "string" && FULL.has(code)) || (typeof errcode === "number" && (errcode & 0xff) === SQLITE_FULL);
  return full
    ? new KindlingError("StorageFull", `No space is left for ${path}: free some, work goes on by itself`, {
        retryable: true,
        cause,
      })
    : new KindlingError("StorageFailed", `Cannot write ${path}: ${reason}`, { cause });
}
