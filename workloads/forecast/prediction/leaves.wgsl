// The leaf of each tree that each row falls into. See ranks.ts.
struct Shape {
  rows: u32,
  columns: u32,
}
@group(0) @binding(0) var<storage, read> shape: Shape;
// Column or LEAF, least and greatest rank that goes left, left child within the tree.
@group(0) @binding(1) var<storage, read> nodes: array<vec4u>;
@group(0) @binding(2) var<storage, read> roots: array<u32>;
@group(0) @binding(3) var<storage, read> ranks: array<u32>;
// [trees × rows]
@group(0) @binding(4) var<storage, read_write> leaves: array<u32>;

const LEAF = 0xffffu;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let number = (group.y * groups.x + group.x) * 256u + local;
  let tree = number / shape.rows;
  if (tree >= arrayLength(&roots)) {
    return;
  }
  let root = roots[tree];
  let row = (number % shape.rows) * shape.columns;
  var index = root;
  var node = nodes[index];
  while (node.x != LEAF) {
    let rank = ranks[row + node.x];
    index = root + node.w + select(1u, 0u, rank >= node.y && rank <= node.z);
    node = nodes[index];
  }
  leaves[number] = index;
}
