import { decode, type DecoderOptions, Encoder, ExtensionCodec } from "@msgpack/msgpack";
import { KindlingError } from "../errors.ts";
import type { TypedArray, Value } from "../value.ts";

/**
 * Values as bytes: MessagePack, with extension types for the typed arrays (elements little-endian) and for big integers.
 * Equal values encode to equal bytes: object keys stay in their order. A bare −0 comes back as 0 and an undefined array
 * element as null: a kernel for which these matter puts its numbers into a Float64Array.
 */

type Constructor = new (buffer: ArrayBuffer) => TypedArray;

/** Extension type of each element kind. Uint8Array is MessagePack's own `bin`. */
const TYPED_ARRAYS: readonly (readonly [type: number, constructor: Constructor])[] = [
  [1, Int8Array],
  [2, Uint16Array],
  [3, Int16Array],
  [4, Uint32Array],
  [5, Int32Array],
  [6, Float32Array],
  [7, Float64Array],
  [8, BigInt64Array],
  [9, BigUint64Array],
];
const BIG_INTEGER = 10;

const extensions = new ExtensionCodec();
for (const [type, constructor] of TYPED_ARRAYS) {
  extensions.register({
    type,
    encode: (object) => {
      if (!(object instanceof constructor)) return null;
      return new Uint8Array(object.buffer, object.byteOffset, object.byteLength);
    },
    // A copy, since elements must be aligned; not by `slice`, which of a Buffer of Node is a view.
    decode: (data) => new constructor(new Uint8Array(data).buffer),
  });
}
extensions.register({
  type: BIG_INTEGER,
  encode: (object) => (typeof object === "bigint" ? new TextEncoder().encode(object.toString()) : null),
  decode: (data) => BigInt(new TextDecoder().decode(data)),
});

/** Levels of arrays and objects that a value may have, its leaves counted. */
export const MAX_DEPTH = 32;

export function encodeValue(value: Value): Uint8Array<ArrayBuffer> {
  if (value instanceof Uint8Array && value.byteLength < MOST_BINARY) return encodeBytes(value);
  const encoder = new Encoder({
    extensionCodec: extensions,
    maxDepth: MAX_DEPTH,
    ignoreUndefined: true,
    // Large arrays are copied once: the buffer need not grow on the way.
    initialBufferSize: 1024 + arrayBytes(value),
  });
  return encoder.encode(value);
}

/** Lengths below these have a head of so many bytes, which begins with this one; the rest is the length, big-endian. */
const BINARY_HEADS = [
  { below: 2 ** 8, head: 2, format: 0xc4 },
  { below: 2 ** 16, head: 3, format: 0xc5 },
  { below: 2 ** 32, head: 5, format: 0xc6 },
] as const;
const MOST_BINARY = 2 ** 32;

const headOf = (length: number) => BINARY_HEADS.find(({ below }) => length < below) ?? BINARY_HEADS[2];

/** As the encoder does it, but with one copy, where it makes two. */
function encodeBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { byteLength } = bytes;
  const { head, format } = headOf(byteLength);
  const whole = new Uint8Array(head + byteLength);
  whole.set(bytes, head);
  whole[0] = format;
  for (let at = head - 1, rest = byteLength; at > 0; at--, rest >>>= 8) whole[at] = rest & 0xff;
  return whole;
}

/** Bytes in the typed arrays near the top of a value, where large ones are. */
function arrayBytes(value: Value, depth = 3): number {
  if (ArrayBuffer.isView(value)) return value.byteLength + 16;
  if (typeof value !== "object" || value === null || depth === 0) return 0;
  let bytes = 0;
  for (const inner of Object.values(value)) bytes += arrayBytes(inner as Value, depth - 1);
  return bytes;
}

/** Throws `BadFrame` for bytes that are no value. Byte arrays in the result are views of `bytes`. */
export function decodeValue(bytes: Uint8Array): Value {
  try {
    // A length that the frame cannot hold must not reserve memory.
    const most = bytes.byteLength;
    return decode(bytes, {
      extensionCodec: extensions,
      maxStrLength: most,
      maxBinLength: most,
      maxArrayLength: most,
      maxMapLength: most,
      maxExtLength: most,
    } as DecoderOptions<undefined>) as Value;
  } catch (cause) {
    throw new KindlingError("BadFrame", "The bytes are not an encoded value", { cause });
  }
}
