import { KindlingError } from "../../shared/errors.ts";
import type { Payload } from "../node/data-plane.ts";
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

/** Bytes in memory that nobody else sees and that can be moved to another thread. */
export const ownBytes = (bytes: Uint8Array): Uint8Array<ArrayBuffer> =>
  bytes.buffer instanceof ArrayBuffer && bytes.byteLength === bytes.buffer.byteLength
    ? (bytes as Uint8Array<ArrayBuffer>)
    : bytes.slice();

/** What can be moved to another thread with a payload of bytes alone. */
export function buffersOf(payload: Payload): ArrayBuffer[] {
  const bytes = "encoded" in payload ? payload.encoded : payload.value;
  return bytes instanceof Uint8Array && bytes.buffer instanceof ArrayBuffer ? [bytes.buffer] : [];
}

/** Frees the array's memory at once, and not when it is collected: nobody may use it any more. False for shared memory. */
export function freeBytes({ buffer }: Uint8Array): boolean {
  if (!(buffer instanceof ArrayBuffer)) return false;
  if (!buffer.detached) buffer.transfer(0);
  return true;
}

/** The memory of the arrays in the value. */
export function memoryOf(value: Value): ArrayBufferLike[] {
  if (ArrayBuffer.isView(value)) return [value.buffer];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap((field) => memoryOf(field as Value));
}

/** About how many bytes the value takes. */
export function estimateBytes(value: Value): number {
  if (ArrayBuffer.isView(value)) return value.byteLength;
  if (typeof value === "string") return SMALL + value.length;
  if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + estimateBytes(item as Value), SMALL);
  if (typeof value !== "object" || value === null) return SMALL;
  return Object.entries(value).reduce((sum, [key, field]) => sum + key.length + estimateBytes(field as Value), SMALL);
}
