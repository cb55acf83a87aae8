// Makes generated tuples: keys into `letters`, one after the other in whole words, and their records. See README.md.
struct Spec {
  seed: u32,
  // Number of the first tuple's first word.
  word_low: u32,
  word_high: u32,
  words_per_tuple: u32,
  letters_per_word: u32,
  key_length: u32,
  max_value: u32,
  alphabet_size: u32,
  alphabet: array<u32>,
}
@group(0) @binding(0) var<storage, read> spec: Spec;
@group(0) @binding(1) var<storage, read_write> letters: array<u32>;
@group(0) @binding(2) var<storage, read_write> records: array<vec4u>;

fn mul_high(a: u32, b: u32) -> u32 {
  let a_low = a & 0xffffu;
  let a_high = a >> 16u;
  let b_low = b & 0xffffu;
  let b_high = b >> 16u;
  let middle = a_high * b_low + ((a_low * b_low) >> 16u);
  let middle_low = (middle & 0xffffu) + a_low * b_high;
  return a_high * b_high + (middle >> 16u) + (middle_low >> 16u);
}

// Philox4x32-10 (Salmon et al., SC'11) of the key (seed, 0).
fn philox(block_low: u32, block_high: u32) -> vec4u {
  var counter = vec4u(block_low, block_high, 0u, 0u);
  var key = vec2u(spec.seed, 0u);
  for (var round = 0u; round < 10u; round++) {
    let high0 = mul_high(0xd2511f53u, counter.x);
    let low0 = 0xd2511f53u * counter.x;
    let high1 = mul_high(0xcd9e8d57u, counter.z);
    let low1 = 0xcd9e8d57u * counter.z;
    counter = vec4u(high1 ^ counter.y ^ key.x, low1, high0 ^ counter.w ^ key.y, low0);
    key += vec2u(0x9e3779b9u, 0xbb67ae85u);
  }
  return counter;
}

var<private> next_low: u32;
var<private> next_high: u32;
var<private> held: vec4u;
var<private> held_block: vec2u;
var<private> holds: bool;

fn next_word() -> u32 {
  let block = vec2u((next_low >> 2u) | (next_high << 30u), next_high >> 2u);
  if (!holds || any(block != held_block)) {
    held = philox(block.x, block.y);
    held_block = block;
    holds = true;
  }
  let word = held[next_low & 3u];
  next_low++;
  next_high += select(0u, 1u, next_low == 0u);
  return word;
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let number = (group.y * groups.x + group.x) * 256u + local;
  if (number >= arrayLength(&records)) {
    return;
  }
  let offset = number * spec.words_per_tuple;
  next_low = spec.word_low + offset;
  next_high = spec.word_high + select(0u, 1u, next_low < offset);
  let stride = (spec.key_length + 3u) / 4u;
  var rest = 0u;
  var packed = 0u;
  for (var at = 0u; at < spec.key_length; at++) {
    if (at % spec.letters_per_word == 0u) {
      rest = next_word();
    }
    packed |= spec.alphabet[mul_high(rest, spec.alphabet_size)] << ((at & 3u) * 8u);
    rest *= spec.alphabet_size;
    if ((at & 3u) == 3u || at + 1u == spec.key_length) {
      letters[number * stride + (at >> 2u)] = packed;
      packed = 0u;
    }
  }
  let value = 1u + mul_high(next_word(), spec.max_value);
  records[number] = vec4u(number * stride * 4u, spec.key_length, value, 0u);
}
