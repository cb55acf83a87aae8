// How many line ends each block of 256 × 64 bytes has.
@group(0) @binding(1) var<storage, read> text_bytes: array<u32>;
@group(0) @binding(2) var<storage, read_write> line_counts: array<u32>;

var<workgroup> total: atomic<u32>;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let block = number_of(group, groups, 0u, 1u);
  let start = (block * 256u + local) * 64u;
  let to = min(start + 64u, text_bytes[0]);
  var lines = 0u;
  for (var at = start; at < to; at++) {
    lines += select(0u, 1u, byte_at(at) == 10u);
  }
  atomicAdd(&total, lines);
  workgroupBarrier();
  if (local == 0u && block < arrayLength(&line_counts)) {
    line_counts[block] = atomicLoad(&total);
  }
}
