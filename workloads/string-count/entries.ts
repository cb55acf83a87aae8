/**
 * What counting hands to merging: the keys of one partition and bucket with their sums, as compact bytes. The WASM kernel
 * (assembly/entries.ts) writes and reads the same format, byte for byte.
 *
 *     u32le  number of entries
 *     u32le  length of the longest key in bytes
 *     then each entry, sorted by the key's bytes:
 *       u8      min(shared, 15) · 16 + min(rest, 15)
 *               shared: bytes that the key has in common with the key before it (0 for the first)
 *               rest: bytes that follow those
 *       varint  shared − 15, only if shared ≥ 15
 *       varint  rest − 15, only if rest ≥ 15
 *       bytes   the rest of the key
 *       varint  the sum, a signed 64-bit integer s as the unsigned (s << 1) ^ (s >> 63)
 *
 * varint is LEB128: seven bits a byte, the lowest first, the top bit set on all but the last byte.
 * A key may stand several times in a row: see KeySums.
 */
import { type ByteString, ByteWriter, toByteString } from "./bytes.ts";

export type Entry = {
  readonly key: ByteString;
  readonly sum: bigint;
};

/** Lengths from here on do not fit into the first byte. */
const LONG = 15;
const HEADER_BYTES = 8;

export function encodeEntries(entries: readonly Entry[]): Uint8Array {
  const out = new ByteWriter();
  uint32(out, entries.length);
  uint32(
    out,
    entries.reduce((longest, entry) => Math.max(longest, entry.key.length), 0),
  );
  let before = "";
  for (const { key, sum } of entries) {
    const shared = commonPrefix(before, key);
    const rest = key.length - shared;
    out.byte(Math.min(shared, LONG) * 16 + Math.min(rest, LONG));
    if (shared >= LONG) varint(out, BigInt(shared - LONG));
    if (rest >= LONG) varint(out, BigInt(rest - LONG));
    out.text(key.slice(shared));
    varint(out, BigInt.asUintN(64, (sum << 1n) ^ (sum >> 63n)));
    before = key;
  }
  return out.done();
}

export function decodeEntries(bytes: Uint8Array): Entry[] {
  let at = HEADER_BYTES;
  const readVarint = (): bigint => {
    const low = bytes[at++] as number;
    if (low < 0x80) return BigInt(low);
    let value = BigInt(low & 0x7f);
    for (let shift = 7n; ; shift += 7n) {
      const byte = bytes[at++] as number;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const length = (nibble: number): number => (nibble < LONG ? nibble : LONG + Number(readVarint()));
  const entries: Entry[] = [];
  let key = "";
  for (let left = entryCount(bytes); left > 0; left--) {
    const head = bytes[at++] as number;
    const shared = length(head >> 4);
    const rest = length(head & 15);
    key = key.slice(0, shared) + toByteString(bytes, at, at + rest);
    at += rest;
    const folded = readVarint();
    entries.push({ key, sum: (folded >> 1n) ^ -(folded & 1n) });
  }
  return entries;
}

export const entryCount = (bytes: Uint8Array): number =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0, true);

export const longestKey = (bytes: Uint8Array): number =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(4, true);

function commonPrefix(a: ByteString, b: ByteString): number {
  let at = 0;
  while (at < a.length && at < b.length && a.charCodeAt(at) === b.charCodeAt(at)) at++;
  return at;
}

function uint32(out: ByteWriter, value: number): void {
  for (let shift = 0; shift < 32; shift += 8) out.byte((value >>> shift) & 0xff);
}

function varint(out: ByteWriter, value: bigint): void {
  let rest = value;
  while (rest >= 0x80n) {
    out.byte(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  out.byte(Number(rest));
}
