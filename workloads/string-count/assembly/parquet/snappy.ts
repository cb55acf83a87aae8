/** Snappy's raw format (google/snappy, format_description.txt). */

const LITERAL: u32 = 0;
const COPY1: u32 = 1;
const COPY2: u32 = 2;

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
    let count: usize;
    let offset: usize;
    if (kind == COPY1) {
      if (from >= end) return false;
      count = <usize>((tag >> 2) & 7) + 4;
      offset = (<usize>(tag >> 5) << 8) | <usize>load<u8>(from++);
    } else {
      const bytes: usize = kind == COPY2 ? 2 : 4;
      if (end - from < bytes) return false;
      count = <usize>(tag >> 2) + 1;
      offset = kind == COPY2 ? <usize>load<u16>(from) : <usize>load<u32>(from);
      from += bytes;
    }
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
    for (; to < end; to += 16) v128.store(to, v128.load(to - offset));
  } else if (offset >= 8) {
    for (; to < end; to += 8) store<u64>(to, load<u64>(to - offset));
  } else {
    for (; to < end; ++to) store<u8>(to, load<u8>(to - offset));
  }
}
