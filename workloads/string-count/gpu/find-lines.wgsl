// Where each line ends. A block knows how many lines end before it; within it, invocations add up theirs.
@group(0) @binding(1) var<storage, read> text_bytes: array<u32>;
@group(0) @binding(2) var<storage, read> lines_before: array<u32>;
@group(0) @binding(3) var<storage, read_write> line_ends: array<u32>;

var<workgroup> sums: array<u32, 256>;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let block = number_of(group, groups, 0u, 1u);
  let start = (block * 256u + local) * 64u;
  let to = min(start + 64u, text_bytes[0]);
  var lines = 0u;
  for (var at = start; at < to; at++) {
    lines += select(0u, 1u, byte_at(at) == 10u);
  }
  sums[local] = lines;
  workgroupBarrier();
  // Inclusive prefix sums (Hillis and Steele).
  for (var step = 1u; step < 256u; step <<= 1u) {
    var before = 0u;
    if (local >= step) {
      before = sums[local - step];
    }
    workgroupBarrier();
    sums[local] += before;
    workgroupBarrier();
  }
  if (block >= arrayLength(&lines_before)) {
    return;
  }
  var line = lines_before[block] + sums[local] - lines;
  for (var at = start; at < to; at++) {
    if (byte_at(at) == 10u) {
      line_ends[line] = at;
      line++;
    }
  }
}
