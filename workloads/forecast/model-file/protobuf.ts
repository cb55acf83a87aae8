/**
 * The part of Protocol Buffers' wire format that ONNX files need. A message is its fields one after the other, so files are
 * put together from parts: a repeated field, packed or not, may come in several pieces.
 * https://protobuf.dev/programming-guides/encoding/
 */

const VARINT = 0;
const FIXED64 = 1;
const DELIMITED = 2;
const FIXED32 = 5;
/** The longest varint. */
const MAX_VARINT = 10;

/** Bytes of a whole number 0 … 2⁵³ as a varint. */
export function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) size++;
  return size;
}

/** Writes a varint at `at`; gives the position after it. */
export function putVarint(target: Uint8Array, at: number, value: number): number {
  let rest = value;
  let next = at;
  for (; rest >= 128; rest = Math.floor(rest / 128)) target[next++] = (rest % 128) + 128;
  target[next++] = rest;
  return next;
}

/** A field of a whole number, such as int64 or an enum. */
export function numberField(field: number, value: number): Uint8Array {
  const bytes = new Uint8Array(varintSize(field * 8) + varintSize(value));
  putVarint(bytes, putVarint(bytes, 0, field * 8 + VARINT), value);
  return bytes;
}

/** The beginning of a field of `length` bytes, which follow: a text, a message, or packed numbers. */
export function prefix(field: number, length: number): Uint8Array {
  const bytes = new Uint8Array(varintSize(field * 8) + varintSize(length));
  putVarint(bytes, putVarint(bytes, 0, field * 8 + DELIMITED), length);
  return bytes;
}

/** A field that holds a text or the parts of a message. */
export function field(number: number, ...parts: readonly (Uint8Array | string)[]): Uint8Array {
  const content = parts.map((part) => (typeof part === "string" ? new TextEncoder().encode(part) : part));
  return concat([prefix(number, lengthOf(content)), ...content]);
}

export const lengthOf = (parts: readonly Uint8Array[]): number =>
  parts.reduce((total, part) => total + part.byteLength, 0);

export function concat(
  parts: readonly Uint8Array[],
  allocate: (bytes: number) => Uint8Array = (bytes) => new Uint8Array(bytes),
): Uint8Array {
  const bytes = allocate(lengthOf(parts));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.byteLength;
  }
  return bytes;
}

/** One field of a message: a number, or the bytes of what is delimited or fixed. */
export type WireField = { readonly field: number; readonly value: number | Uint8Array };

/** Reads a message's fields in order. Throws a RangeError where the bytes are none. */
export function* readFields(message: Uint8Array): Generator<WireField> {
  let at = 0;
  while (at < message.length) {
    const tag = readVarint(message, at);
    at = tag.end;
    const field = Math.floor(tag.value / 8);
    const wire = tag.value % 8;
    if (wire === VARINT) {
      const { value, end } = readVarint(message, at);
      at = end;
      yield { field, value };
      continue;
    }
    let length = wire === FIXED64 ? 8 : 4;
    if (wire === DELIMITED) {
      const prefixed = readVarint(message, at);
      at = prefixed.end;
      length = prefixed.value;
    } else if (wire !== FIXED64 && wire !== FIXED32) {
      throw new RangeError(`wire type ${wire} at byte ${at}`);
    }
    if (at + length > message.length) throw new RangeError(`a field of ${length} bytes passes the end`);
    yield { field, value: message.subarray(at, at + length) };
    at += length;
  }
}

/** Reads one varint; what is above 2⁵³ is rounded. */
export function readVarint(bytes: Uint8Array, start: number): { readonly value: number; readonly end: number } {
  let value = 0;
  let unit = 1;
  for (let at = start; at < start + MAX_VARINT; at++) {
    const byte = bytes[at];
    if (byte === undefined) throw new RangeError("a number passes the end");
    value += (byte % 128) * unit;
    if (byte < 128) return { value, end: at + 1 };
    unit *= 128;
  }
  throw new RangeError(`a number of more than ${MAX_VARINT} bytes`);
}
