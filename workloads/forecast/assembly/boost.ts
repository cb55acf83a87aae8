/** Boosting's step between two trees of ./binned/; see ../forest/boost.ts. */
import { binOf, missingBin } from "./binned/bins";
import { borderOut } from "./binned/grow";
import { rows, stats } from "./sample";
import { columnOut, LEAF, leftOut, MISSING_LEFT, valueOut } from "./tree";

/** Takes the leaf of the tree that was grown last off every row's target. */
export function takeOffTree(): void {
  for (let row: u32 = 0; row < rows; row++) {
    const at = stats + (<usize>row << 4);
    store<f64>(at, load<f64>(at) - leafOf(row));
  }
}

function leafOf(row: u32): f64 {
  let node: u32 = 0;
  let code = <u32>load<u16>(columnOut);
  while (code != <u32>LEAF) {
    const column = code & 0x7fff;
    const bin = binOf(row, column);
    const left = bin == missingBin(column) ? code >= <u32>MISSING_LEFT : bin <= load<u16>(borderOut + (<usize>node << 1));
    node = load<u32>(leftOut + (<usize>node << 2)) + <u32>!left;
    code = <u32>load<u16>(columnOut + (<usize>node << 1));
  }
  return load<f64>(valueOut + (<usize>node << 3));
}
