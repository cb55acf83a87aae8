// Each line becomes a record. The text has no quotes and no NUL; whatever else is not as it should be is flagged, and the
// reference parser then reads the part.
struct Dialect {
  delimiter: u32,
  columns: u32,
  key: u32,
  value: u32,
  longest: u32,
  is_sample: u32,
}
struct Findings {
  problems: atomic<u32>,
  not_ascii: atomic<u32>,
  blank: atomic<u32>,
}
@group(0) @binding(1) var<storage, read> line_ends: array<u32>;
@group(0) @binding(2) var<storage, read> dialect: Dialect;
@group(0) @binding(3) var<storage, read_write> findings: Findings;
// Where the key lies, its length, the value's lower and upper word; NOTHING in place of a blank line's key.
@group(0) @binding(4) var<storage, read_write> records: array<vec4u>;

struct Integer {
  low: u32,
  high: u32,
  valid: bool,
}

// [+-]?[0-9]+ within 64 bits.
fn integer_at(start: u32, to: u32) -> Integer {
  var at = start;
  var negative = false;
  if (at < to) {
    let sign = byte_at(at);
    negative = sign == 45u;
    at += select(0u, 1u, negative || sign == 43u);
  }
  var result = Integer(0u, 0u, at < to);
  for (; at < to && result.valid; at++) {
    let digit = byte_at(at) - 48u;
    // Ten times more would be over 2⁶³.
    result.valid = digit < 10u && result.high <= 0x0cccccccu;
    let lower = (result.low & 0xffffu) * 10u + digit;
    let upper = (result.low >> 16u) * 10u + (lower >> 16u);
    result.low = (upper << 16u) | (lower & 0xffffu);
    result.high = result.high * 10u + (upper >> 16u);
  }
  if (result.high >= 0x80000000u) {
    result.valid = result.valid && negative && result.high == 0x80000000u && result.low == 0u;
  }
  if (negative) {
    result.low = ~result.low + 1u;
    result.high = ~result.high + select(0u, 1u, result.low == 0u);
  }
  return result;
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let line = number_of(group, groups, local, 256u);
  if (line >= arrayLength(&records)) {
    return;
  }
  var start = 0u;
  if (line > 0u) {
    start = line_ends[line - 1u] + 1u;
  }
  var to = line_ends[line];
  if (to - start >= dialect.longest) {
    atomicOr(&findings.problems, 1u);
    records[line] = vec4u(NOTHING, 0u, 0u, 0u);
    return;
  }
  if (to > start && byte_at(to - 1u) == 13u) {
    to--;
  }
  if (to == start) {
    atomicAdd(&findings.blank, 1u);
    records[line] = vec4u(NOTHING, 0u, 0u, 0u);
    return;
  }
  var column = 0u;
  var begin = start;
  var key = vec2u(0u, 0u);
  var value = vec2u(0u, 0u);
  var high_bits = 0u;
  for (var at = start; at <= to; at++) {
    var ends = at == to;
    if (!ends) {
      let byte = byte_at(at);
      high_bits |= byte;
      ends = byte == dialect.delimiter;
    }
    if (ends) {
      if (column == dialect.key) {
        key = vec2u(begin, at - begin);
      }
      if (column == dialect.value) {
        value = vec2u(begin, at);
      }
      column++;
      begin = at + 1u;
    }
  }
  let number = integer_at(value.x, value.y);
  if (column != dialect.columns || !number.valid) {
    atomicOr(&findings.problems, 1u);
  }
  if ((high_bits & 0x80u) != 0u) {
    atomicOr(&findings.not_ascii, 1u);
  }
  if (dialect.is_sample != 0u) {
    records[line] = vec4u(key, 1u, 0u);
  } else {
    records[line] = vec4u(key, number.low, number.high);
  }
}
