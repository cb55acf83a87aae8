import { KindlingError } from "../../shared/errors.ts";

/** The bytes [start, end) of what is asked for; `partial` when a range was named. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
  readonly partial: boolean;
}

/**
 * Reads a Range header (RFC 9110) with one range. Several ranges, or another unit, mean the whole, as the RFC allows.
 * Throws `BadRange` for one that begins past the end.
 */
export function parseRange(header: string | undefined, size: number): ByteRange {
  const whole = { start: 0, end: size, partial: false };
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.trim() ?? "");
  if (match === null) return whole;
  const [, first = "", last = ""] = match;
  if (first === "" && last === "") return whole;
  // `-N` is the last N bytes.
  const start = first === "" ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === "" || last === "" ? size : Math.min(size, Number(last) + 1);
  if (start >= size || start >= end) {
    throw new KindlingError("BadRange", `The range ${header} is outside of ${size} bytes`);
  }
  return { start, end, partial: true };
}
