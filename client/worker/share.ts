import { KindlingError } from "../../shared/errors.ts";
import type { TypedArray, Value } from "../../shared/value.ts";

/** Below this many bytes a copy costs less than a shared buffer. */
const SHARE_FROM = 4096;
/** What a number, a key or a small object is taken to weigh, in bytes. */
const SMALL = 8;

/**
 * The value with its large arrays in shared memory, so that threads pass it on without a copy; small arrays get buffers of their own,
 * since cloning a view would clone all that lies around it. Throws `BadOutput` for what is no Value.
 */
export function shareArrays(value: Value): Value {
  if (ArrayBuffer.isView(value)) return ownArray(value as TypedArray);
  if (Array.isArray(value)) return value.map(shareArrays);
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, shareArrays(field)]));
  }
  if (typeof value === "function" || typeof value === "symbol") {
    throw new KindlingError("BadOutput", `A ${typeof value} cannot pass between tasks: return plain data`);
  }
  return value;
}

function ownArray(array: TypedArray): TypedArray {
  if (array.buffer instanceof SharedArrayBuffer) return array;
  if (array.byteLength < SHARE_FROM) return array.byteLength === array.buffer.byteLength ? array : array.slice();
  const construct = array.constructor as new (buffer: SharedArrayBuffer) => TypedArray;
  const buffer = new SharedArrayBuffer(array.byteLength);
  new Uint8Array(buffer).set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
  return new construct(buffer);
}

/** About how many bytes the value takes. */
export function estimateBytes(value: Value): number {
  if (ArrayBuffer.isView(value)) return value.byteLength;
  if (typeof value === "string") return SMALL + value.length;
  if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + estimateBytes(item as Value), SMALL);
  if (typeof value !== "object" || value === null) return SMALL;
  return Object.entries(value).reduce((sum, [key, field]) => sum + key.length + estimateBytes(field as Value), SMALL);
}
