import { mulHigh, philox4x32 } from "../../../shared/math/philox.ts";

/**
 * The order in which a node tries the columns. When all are tried it only breaks ties (two rows can be told apart by almost
 * any column): in turn, from a first column scrambled from seed, tree and node. When some are tried it is a random
 * permutation: Fisher and Yates with the words of the Philox blocks (block, node, 1, 0) under the key (seed, tree).
 */
export function visitOrder(columns: number, all: boolean, seed: number, tree: number, node: number): number[] {
  if (all) {
    const first = mulHigh(scramble((scramble(seed ^ 0x9e3779b9) + scramble(tree) + node) | 0), columns);
    return Array.from({ length: columns }, (_, place) => (first + place) % columns);
  }
  const visits = Array.from({ length: columns }, (_, column) => column);
  const words = new Uint32Array(4);
  for (let place = 0; place < columns; place++) {
    if (place % 4 === 0) philox4x32(words, 0, [place / 4, node, 1, 0], [seed, tree]);
    const other = place + mulHigh(words[place % 4] as number, columns - place);
    const held = visits[place] as number;
    visits[place] = visits[other] as number;
    visits[other] = held;
  }
  return visits;
}

/** The finaliser of MurmurHash3: a permutation of the 32-bit numbers. */
function scramble(key: number): number {
  let mixed = Math.imul(key ^ (key >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
