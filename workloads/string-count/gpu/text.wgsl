// Bytes packed in words, the lowest first, with at least one word of zeros behind them.
@group(0) @binding(0) var<storage, read> text: array<u32>;

const NOTHING = 0xffffffffu;

fn byte_at(at: u32) -> u32 {
  return (text[at >> 2u] >> ((at & 3u) * 8u)) & 0xffu;
}

// Four bytes from any place.
fn four_at(at: u32) -> u32 {
  let index = at >> 2u;
  let shift = (at & 3u) * 8u;
  if (shift == 0u) {
    return text[index];
  }
  return (text[index] >> shift) | (text[index + 1u] << (32u - shift));
}

// The number of an invocation, where one dimension may not suffice for all workgroups.
fn number_of(group: vec3u, groups: vec3u, local: u32, size: u32) -> u32 {
  return (group.y * groups.x + group.x) * size + local;
}
