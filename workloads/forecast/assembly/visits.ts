/** The order in which a node tries the columns: it breaks ties, and is the draw when only some are tried. */
import { allocate } from "./memory";
import { philox, word0, word1, word2, word3 } from "./philox";

/** The columns that nodes choose from. */
let columns: u32 = 0;
/** u16[columns]: the columns in their own order, but for the first `place` while a node draws. */
let visits: usize = 0;
/** u16[columns]: which place each draw took, to undo them. */
let taken: usize = 0;
let place: u32 = 0;
let drawing: bool = false;
let first: u32 = 0;
let treeSeed: u32 = 0;
let treeNumber: u32 = 0;
let nodeNumber: u32 = 0;
/** The words of the block in use; other draws come between two visits. */
let draw0: u32 = 0;
let draw1: u32 = 0;
let draw2: u32 = 0;
let draw3: u32 = 0;

export function allocateVisits(count: u32): void {
  columns = count;
  visits = allocate((<usize>columns) << 1);
  taken = allocate((<usize>columns) << 1);
  for (let column: u32 = 0; column < columns; column++) store<u16>(visits + (column << 1), <u16>column);
  place = 0;
  drawing = false;
}

/** Begins a node: all columns in turn from a scrambled first one, or, when only some are tried, in a random order. */
export function beginVisits(seed: u32, tree: u32, node: u32, maxFeatures: u32): void {
  if (drawing) undoDraws();
  place = 0;
  drawing = maxFeatures < columns;
  if (drawing) {
    treeSeed = seed;
    treeNumber = tree;
    nodeNumber = node;
  } else {
    first = <u32>((<u64>scramble(scramble(seed ^ 0x9e3779b9) + scramble(tree) + node) * columns) >>> 32);
  }
}

/** The first column of a node that tries all in turn. */
export function firstVisit(): u32 {
  return first;
}

export function nextVisit(): u32 {
  if (drawing) return drawVisit();
  let column = first + place++;
  return column >= columns ? column - columns : column;
}

/** One step of Fisher and Yates. Four draws share a Philox block with the counter (block, node, 1, 0). */
function drawVisit(): u32 {
  if ((place & 3) == 0) nextBlock();
  const lane = place & 3;
  const word = lane == 0 ? draw0 : lane == 1 ? draw1 : lane == 2 ? draw2 : draw3;
  const other = place + <u32>((<u64>word * (columns - place)) >>> 32);
  store<u16>(taken + (place << 1), <u16>other);
  swap(place, other);
  return load<u16>(visits + (place++ << 1));
}

function nextBlock(): void {
  philox(place >>> 2, nodeNumber, 1, treeSeed, treeNumber);
  draw0 = word0;
  draw1 = word1;
  draw2 = word2;
  draw3 = word3;
}

function undoDraws(): void {
  while (place > 0) {
    place--;
    swap(place, load<u16>(taken + (place << 1)));
  }
}

function swap(a: u32, b: u32): void {
  const atA = visits + (a << 1);
  const atB = visits + (b << 1);
  const held = load<u16>(atA);
  store<u16>(atA, load<u16>(atB));
  store<u16>(atB, held);
}

/** The finaliser of MurmurHash3: a permutation of the 32-bit numbers. */
function scramble(key: u32): u32 {
  key = (key ^ (key >>> 16)) * 0x85ebca6b;
  key = (key ^ (key >>> 13)) * 0xc2b2ae35;
  return key ^ (key >>> 16);
}
