/**
 * The sum of a key with more than 8 bytes, in 32 bytes:
 *   9 … 24 bytes: the key's three words, zeros after its bytes; then the sum
 *   more:         56 bits of hash (the top byte is zero: never so above, where it is the key's eighth byte),
 *                 address | length << 32 of the key's copy, its first word; then the sum
 */
export const WIDE_ENTRY: usize = 32;
export const INLINE_BYTES: usize = 24;

/** From WINDOW + 24 − n on, 24 bytes of which the first n are ones. */
export const WINDOW = memory.data<u64>([<u64>-1, <u64>-1, <u64>-1, 0, 0, 0, 0]);

/** Stores the three words of a key of at most 24 bytes; reads 24 bytes. */
// @ts-ignore: decorator
@inline
export function storeWideKey(item: usize, at: usize, length: usize): void {
  const window = WINDOW + INLINE_BYTES - length;
  v128.store(item, v128.and(v128.load(at), v128.load(window)));
  store<u64>(item, load<u64>(at, 16) & load<u64>(window, 16), 16);
}

// @ts-ignore: decorator
@inline
export function isInlineEntry(entry: usize): bool {
  return load<u64>(entry) >> 56 != 0;
}

/** Where an entry's key has its bytes. */
export function wideBytes(entry: usize): usize {
  return isInlineEntry(entry) ? entry : <usize>load<u32>(entry, 8);
}
export function wideLength(entry: usize): usize {
  if (!isInlineEntry(entry)) return <usize>load<u32>(entry, 12);
  const last = load<u64>(entry, 16);
  return last != 0 ? 24 - (<usize>clz(last) >> 3) : 16 - (<usize>clz(load<u64>(entry, 8)) >> 3);
}

/** Eight bytes of an entry's key from `depth` on (a multiple of 8), as an ordering word; zeros after its end. */
export function wideWord(entry: usize, depth: usize): u64 {
  if (isInlineEntry(entry)) return depth >= INLINE_BYTES ? 0 : bswap<u64>(load<u64>(entry + depth));
  return depth >= <usize>load<u32>(entry, 12) ? 0 : bswap<u64>(load<u64>(<usize>load<u32>(entry, 8) + depth));
}
