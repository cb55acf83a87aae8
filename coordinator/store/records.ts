import { crc32 } from "node:zlib";
import type { JobId } from "../../shared/ids.ts";
import { decodeValue, encodeValue } from "../../shared/protocol/value-codec.ts";
import type { Value } from "../../shared/value.ts";

/** The kinds of records in a journal file; the numbers are part of the file format. */
export const KINDS = { incarnation: 0, job: 1, output: 2, entry: 3 } as const;
export type Kind = keyof typeof KINDS;

/** Where a record stands. Jobs have ordinal 0, and only outputs have a partition other than 0. */
export interface RecordKey {
  readonly kind: Kind;
  readonly job: JobId | "";
  readonly ordinal: number;
  readonly partition: number;
}

export const keyText = (key: RecordKey): string => `${key.kind}/${key.job}/${key.ordinal}/${key.partition}`;

/** Bytes of the CRC-32 that stands before a record's encoded value, little-endian. */
const CHECKSUM_BYTES = 4;

/** The checksum covers the key too, so that a record cannot pass for another's. */
const checksumOf = (key: RecordKey, value: Uint8Array): number => crc32(value, crc32(keyText(key)));

/** A value as the bytes of its record. It is wrapped in an object, since a bare `undefined` would come back as null. */
export function seal(key: RecordKey, value: Value): Uint8Array {
  const encoded = encodeValue({ value });
  const record = new Uint8Array(CHECKSUM_BYTES + encoded.byteLength);
  new DataView(record.buffer).setUint32(0, checksumOf(key, encoded), true);
  record.set(encoded, CHECKSUM_BYTES);
  return record;
}

/** The value, or null for a record that is not what was written. */
export function unseal(key: RecordKey, record: Uint8Array): { readonly value: Value } | null {
  if (record.byteLength < CHECKSUM_BYTES) return null;
  const checksum = new DataView(record.buffer, record.byteOffset).getUint32(0, true);
  const encoded = record.subarray(CHECKSUM_BYTES);
  if (checksumOf(key, encoded) !== checksum) return null;
  const { value } = decodeValue(encoded) as { readonly value?: Value };
  return { value };
}
