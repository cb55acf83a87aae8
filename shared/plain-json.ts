/**
 * A replacer for `JSON.stringify`: values of jobs have big integers and typed arrays, which JSON has not. Big integers become numbers
 * where they fit and decimal text elsewhere, typed arrays arrays.
 */
export function plainJson(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") {
    return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value.toString();
  }
  return ArrayBuffer.isView(value) ? Array.from(value as Uint8Array) : value;
}
