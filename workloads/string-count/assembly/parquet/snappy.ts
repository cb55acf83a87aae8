/** Snappy's raw format (google/snappy, format_description.txt). */

const LITERAL: u32 = 0;
const COPY1: u32 = 1;
const COPY4: u32 = 3;

/**
 * Decompresses [from, from + length) to exactly `size` bytes at `to`; false if the bytes are not that. Up to 16 bytes after
 * either end may be read, and after the target's be written.
 */
export function unsnappy(from: usize, length: usize, to: usize, size: usize): bool {
  const end = from + length;
  const start = to;
  const limit = to + size;
  let declared: u64 = 0;
  let shift: u64 = 0;
  for (;;) {
    if (from >= end || shift > 28) return false;
    const byte = <u64>load<u8>(from++);
    declared |= (byte & 0x7f) << shift;
    shift += 7;
    if (byte < 0x80) break;
  }
  if (declared != <u64>size) return false;
  while (from < end) {
    const tag = <u32>load<u8>(from++);
    const kind = tag & 3;
    if (kind == LITERAL) {
      let count = <usize>(tag >> 2) + 1;
      if (count > 60) {
        const bytes = count - 60;
        if (end - from < bytes) return false;
        count = <usize>(load<u32>(from) & (<u32>0xffffffff >> (32 - (<u32>bytes << 3)))) + 1;
        from += bytes;
        // A length of 2³² has wrapped to 0.
        if (count == 0) return false;
      }
      if (end - from < count || limit - to < count) return false;
      if (count <= 16) v128.store(to, v128.load(from));
      else memory.copy(to, from, count);
      from += count;
      to += count;
      continue;
    }
    let count = <usize>(tag >> 2) + 1;
    let offset: usize;
    if (kind == COPY4) {
      offset = <usize>load<u32>(from);
      from += 4;
    } else {
      // Without a branch, since it is not foreseen which of the two comes: 1 for COPY2, 0 for COPY1.
      const isLong = kind - COPY1;
      offset = <usize>((<u32>load<u16>(from) & ((0x100 << (isLong << 3)) - 1)) | (((tag >> 5) << 8) & (isLong - 1)));
      count = <usize>(((tag >> 2) & (7 | (0 - isLong))) + 4 - 3 * isLong);
      from += 1 + isLong;
    }
    if (from > end) return false;
    if (offset == 0 || offset > to - start || limit - to < count) return false;
    copyBack(to, offset, count);
    to += count;
  }
  return to == limit;
}

/** Repeats bytes written before; the two stretches may overlap, which repeats a pattern. */
// @ts-ignore: decorator
@inline
function copyBack(to: usize, offset: usize, count: usize): void {
  const end = to + count;
  if (offset >= 16) {
    do {
      v128.store(to, v128.load(to - offset));
      to += 16;
    } while (to < end);
  } else if (offset >= 8 || offset >= count) {
    for (; to < end; to += 8) store<u64>(to, load<u64>(to - offset));
  } else {
    for (; to < end; ++to) store<u8>(to, load<u8>(to - offset));
  }
}
