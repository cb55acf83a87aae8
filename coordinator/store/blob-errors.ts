import { KindlingError } from "../../shared/errors.ts";
import type { BlobHash } from "../../shared/ids.ts";

export const blobMissing = (hash: BlobHash): KindlingError =>
  new KindlingError("BlobMissing", `There is no blob ${hash}`, { retryable: true });

export const blobCorrupt = (hash: BlobHash): KindlingError =>
  new KindlingError("BlobCorrupt", `The blob ${hash} was damaged on disk and is dropped`, { retryable: true });

export const hashMismatch = (expected: BlobHash, actual: BlobHash): KindlingError =>
  new KindlingError("HashMismatch", `The bytes have the hash ${actual}, not ${expected}`, { retryable: true });
