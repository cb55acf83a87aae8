// Lists the keys that the table holds, in any order: where the key lies, its length, and its three sums.
@group(0) @binding(0) var<storage, read> slots: array<u32>;
@group(0) @binding(1) var<storage, read> records: array<vec4u>;
@group(0) @binding(2) var<storage, read> sums: array<u32>;
@group(0) @binding(3) var<storage, read_write> next: atomic<u32>;
@group(0) @binding(4) var<storage, read_write> found: array<u32>;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let slot = (group.y * groups.x + group.x) * 256u + local;
  if (slot >= arrayLength(&slots) || slots[slot] == 0u) {
    return;
  }
  let first = slots[slot] - 1u;
  let at = atomicAdd(&next, 1u) * 5u;
  found[at] = records[first].x;
  found[at + 1u] = records[first].y;
  found[at + 2u] = sums[first * 3u];
  found[at + 3u] = sums[first * 3u + 1u];
  found[at + 4u] = sums[first * 3u + 2u];
}
