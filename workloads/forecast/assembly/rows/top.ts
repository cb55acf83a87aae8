/**
 * The top of a tree that grows by levels, nodes of 16 bytes: u32 left child; u16 column; u8 border, missing code, whether missing values go
 * left, what becomes of a row that ends here (a kind below); u16 histogram; u32 place: of the node among the open ones, or its bucket.
 */
const NODE: usize = 16;
const INNER: u32 = 0;
/** The row counts for least and most alone, or is sent on. */
export const NOTED: u32 = 2;
export const COUNTED: u32 = 3;

/** The node that a row ends in, from `node` on; `nodes` is where the tree's first node lies. */
// @ts-ignore: decorator
@inline
export function nodeOf(nodes: usize, row: usize): usize {
  let node = nodes;
  while (load<u8>(node, 9) == INNER) {
    const code = <u32>load<u8>(row + load<u16>(node, 4));
    const isLeft = <u32>(code <= <u32>load<u8>(node, 6)) | (<u32>(code == <u32>load<u8>(node, 7)) & <u32>load<u8>(node, 8));
    node = nodes + <usize>(load<u32>(node) + 1 - isLeft) * NODE;
  }
  return node;
}

// @ts-ignore: decorator
@inline
export function kindOf(node: usize): u32 {
  return <u32>load<u8>(node, 9);
}

// @ts-ignore: decorator
@inline
export function placeOf(node: usize): u32 {
  return load<u32>(node, 12);
}
