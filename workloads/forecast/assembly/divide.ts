/** Divides a node's segment of every list between its children. */
import { allocate } from "./memory";
import { columns, listOf, MISSING, rows } from "./sample";
import { bestBorder, bestColumn, bestMissingLeft } from "./search";

/** Up to this many columns, a mask says which of them are constant in a node: their lists need no division. */
export const MASKED: u32 = 64;

/** u32[rows]: what goes to the right. */
let spare: usize = 0;
/** u8[rows]: whether a drawn row goes left. */
let goesLeft: usize = 0;

export function allocateDivision(): void {
  spare = allocate((<usize>rows) << 2);
  goesLeft = allocate(rows);
}

/** Divides every list that still matters by the best split, each staying sorted; gives where the right side starts. */
export function divide(start: u32, end: u32, constant: u64): u32 {
  const list = listOf(bestColumn);
  const from = list + ((<usize>start) << 2);
  const border = from + ((<usize>bestBorder) << 2);
  let to = list + ((<usize>end) << 2);
  let leftCount = bestBorder + 1;
  for (; bestMissingLeft && load<u32>(to - 4) >>> 16 == MISSING; to -= 4, leftCount++) {
    store<u8>(goesLeft + (load<u32>(to - 4) & 0xffff), 1);
  }
  for (let at = from; at <= border; at += 4) store<u8>(goesLeft + (load<u32>(at) & 0xffff), 1);
  for (let at = border + 4; at < to; at += 4) store<u8>(goesLeft + (load<u32>(at) & 0xffff), 0);
  for (let column: u32 = 0; column < columns; column++) {
    if (columns <= MASKED && (constant >>> column) & 1) continue;
    if (column != bestColumn || bestMissingLeft) divideList(column, start, end);
  }
  return start + leftCount;
}

/** Moves the records that go left to the front; both sides keep their order. */
function divideList(column: u32, start: u32, end: u32): void {
  const to = listOf(column) + ((<usize>end) << 2);
  let left = listOf(column) + ((<usize>start) << 2);
  let right = spare;
  for (let at = left; at < to; at += 4) {
    const record = load<u32>(at);
    store<u32>(left, record);
    store<u32>(right, record);
    const step = (<usize>load<u8>(goesLeft + (record & 0xffff))) << 2;
    left += step;
    right += 4 - step;
  }
  memory.copy(left, spare, to - left);
}
