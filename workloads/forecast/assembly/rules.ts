/** What all nodes of one tree keep to. */

export let seed: u32 = 0;
/** The tree's number. */
export let tree: u32 = 0;
export let maxDepth: u32 = 0;
export let minLeaf: u32 = 0;
/** Columns that a node tries. */
export let maxFeatures: u32 = 0;

export function setRules(treeSeed: u32, number: u32, deepest: u32, leaf: u32, features: u32): void {
  seed = treeSeed;
  tree = number;
  maxDepth = deepest;
  minLeaf = leaf;
  maxFeatures = features;
}
