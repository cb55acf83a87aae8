// Sums values by key in a hash table with open addressing. A slot names the record that came first with its key, so that
// keys are told apart by their bytes; hashes only say where to look. Every sum is made of atomic additions modulo 2⁶⁴, whose
// order does not matter.
@group(0) @binding(1) var<storage, read> records: array<vec4u>;
// One more than a record's number, or 0. Their number is a power of two.
@group(0) @binding(2) var<storage, read_write> slots: array<atomic<u32>>;
// By the number of the key's first record: the sum's lower and upper word, and an upper bound of the sum of |value| in units
// of 2⁴⁰, to which values below 2³² add nothing.
@group(0) @binding(3) var<storage, read_write> sums: array<atomic<u32>>;
struct Outcome {
  keys: atomic<u32>,
  // How many records found no slot near enough, and the first of them.
  left: atomic<u32>,
  // A bound of a sum of |value| wrapped.
  huge: atomic<u32>,
  left_records: array<vec4u>,
}
@group(0) @binding(4) var<storage, read_write> outcome: Outcome;

// Slots that a key may lie from where its hash points.
override reach: u32 = 1024u;
// Bits of the hash that count; fewer in tests.
override hash_mask: u32 = 0xffffffffu;

// After the mixing steps of MurmurHash3 (Appleby), four bytes at a time.
fn hash_of(at: u32, length: u32) -> u32 {
  var hash = length * 0x9e3779b1u;
  for (var done = 0u; done < length; done += 4u) {
    var word = four_of(at, length, done) * 0xcc9e2d51u;
    word = ((word << 15u) | (word >> 17u)) * 0x1b873593u;
    hash ^= word;
    hash = ((hash << 13u) | (hash >> 19u)) * 5u + 0xe6546b64u;
  }
  hash = (hash ^ (hash >> 16u)) * 0x85ebca6bu;
  hash = (hash ^ (hash >> 13u)) * 0xc2b2ae35u;
  return hash ^ (hash >> 16u);
}

// Four bytes of a key, zeros behind its end.
fn four_of(at: u32, length: u32, done: u32) -> u32 {
  let word = four_at(at + done);
  let rest = length - done;
  return select(word & ((1u << ((rest & 3u) * 8u)) - 1u), word, rest >= 4u);
}

fn same_key(a: vec2u, b: vec2u) -> bool {
  if (a.y != b.y) {
    return false;
  }
  for (var done = 0u; done < a.y; done += 4u) {
    if (four_of(a.x, a.y, done) != four_of(b.x, b.y, done)) {
      return false;
    }
  }
  return true;
}

// The number of the record that came first with this record's key, or NOTHING.
fn first_with_key(number: u32, key: vec2u) -> u32 {
  let mask = arrayLength(&slots) - 1u;
  var slot = hash_of(key.x, key.y) & hash_mask & mask;
  for (var tries = 0u; tries < reach; ) {
    let held = atomicLoad(&slots[slot]);
    if (held == 0u) {
      let exchange = atomicCompareExchangeWeak(&slots[slot], 0u, number + 1u);
      if (exchange.exchanged) {
        atomicAdd(&outcome.keys, 1u);
        return number;
      }
      // Someone came first, or the exchange failed for no reason, as it may: look again.
      continue;
    }
    if (same_key(key, records[held - 1u].xy)) {
      return held - 1u;
    }
    slot = (slot + 1u) & mask;
    tries++;
  }
  return NOTHING;
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let number = number_of(group, groups, local, 256u);
  if (number >= arrayLength(&records)) {
    return;
  }
  let record = records[number];
  if (record.x == NOTHING) {
    return;
  }
  let first = first_with_key(number, record.xy);
  if (first == NOTHING) {
    let place = atomicAdd(&outcome.left, 1u);
    if (place < arrayLength(&outcome.left_records)) {
      outcome.left_records[place] = record;
    }
    return;
  }
  let low_before = atomicAdd(&sums[first * 3u], record.z);
  let carry = select(0u, 1u, low_before + record.z < record.z);
  let high = record.w + carry;
  if (high != 0u) {
    atomicAdd(&sums[first * 3u + 1u], high);
  }
  let negative = (record.w >> 31u) != 0u;
  let size_high = select(record.w, ~record.w + select(0u, 1u, record.z == 0u), negative);
  if (size_high != 0u) {
    let units = (size_high >> 8u) + 1u;
    let before = atomicAdd(&sums[first * 3u + 2u], units);
    if (before + units < units) {
      atomicOr(&outcome.huge, 1u);
    }
  }
}
