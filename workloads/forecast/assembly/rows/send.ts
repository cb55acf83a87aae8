/** Rows on their way to where subtrees are grown: ../../rows/subtree.ts says what a record has. */
import { allocate } from "../memory";
import { codes, firstRow, NO_TARGET, rows, targets } from "./block";
import { columns, TARGET_LIMIT } from "./frame";
import { kindOf, nodeOf, NOTED, placeOf } from "./top";
import { drawWeights } from "./weights";

/** Rows whose weights are drawn at a time, for all trees. */
const DRAWN_ROWS: u32 = 4096;
/** Bytes that one tree's weights of so many rows take: from up to three rows before them, and rounded up to 16. */
const DRAWN_BYTES: usize = 4096 + 32;

/**
 * A bucket, 24 bytes: u32 first piece, last piece, where its next record goes, records that fit there; the last row that came to it (from 1),
 * and that row's record. A piece is u32 next piece, and from PIECE_HEAD on its records.
 */
const BUCKET: usize = 24;
const PIECE_HEAD: usize = 16;
/** Codes are copied, and weights written, a word at a time: a record's last ones over its end. */
const SLACK: usize = 16;

/** Bytes of a record, and of its weights. */
let size: u32 = 0;
let weightBytes: u32 = 0;

/**
 * Sends the rows that `trees` trees from number `first` on draw: u32 `tops` has where each one's top lies, whose handed nodes have their bucket
 * as place. `buckets` (zeros) is filled.
 */
export function sendRows(seed: u32, first: u32, trees: u32, tops: usize, bits: u32, pieceRows: u32, buckets: usize): void {
  weightBytes = (trees * bits + 7) >>> 3;
  size = columns + 4 + weightBytes;
  const weights = allocate(<usize>trees * DRAWN_BYTES);
  for (let start: u32 = 0; start < rows; start += DRAWN_ROWS) {
    const before = (firstRow + start) & 3;
    const end = min(rows, start + DRAWN_ROWS);
    for (let tree: u32 = 0; tree < trees; tree++) {
      drawWeights(seed, first + tree, firstRow + start - before, end - start + before, weights + <usize>tree * DRAWN_BYTES);
    }
    for (let row = start; row < end; row++) {
      if (load<i32>(targets + (<usize>row << 2)) == NO_TARGET) continue;
      sendRow(row, weights + before + (row - start), trees, tops, bits, pieceRows, buckets);
    }
  }
}

// @ts-ignore: decorator
@inline
function sendRow(row: u32, weights: usize, trees: u32, tops: usize, bits: u32, pieceRows: u32, buckets: usize): void {
  const rowCodes = codes + <usize>row * columns;
  let weight = weights;
  for (let tree: u32 = 0; tree < trees; tree++, weight += DRAWN_BYTES) {
    const times = <u32>load<u8>(weight);
    if (times == 0) continue;
    const node = nodeOf(load<u32>(tops + (<usize>tree << 2)), rowCodes);
    if (kindOf(node) < NOTED) continue;
    const bucket = buckets + <usize>placeOf(node) * BUCKET;
    if (load<u32>(bucket, 16) != row + 1) addRecord(bucket, row, rowCodes, pieceRows);
    const bit = tree * bits;
    const at = <usize>load<u32>(bucket, 20) + columns + 4 + (bit >>> 3);
    store<u16>(at, load<u16>(at) | <u16>(times << (bit & 7)));
  }
}

function addRecord(bucket: usize, row: u32, rowCodes: usize, pieceRows: u32): void {
  if (load<u32>(bucket, 12) == 0) addPiece(bucket, pieceRows);
  const record = <usize>load<u32>(bucket, 8);
  copyCodes(record, rowCodes);
  store<u32>(record + columns, <u32>(load<i32>(targets + (<usize>row << 2)) + TARGET_LIMIT));
  for (let at: u32 = 0; at < weightBytes; at += 8) store<u64>(record + columns + 4 + at, 0);
  store<u32>(bucket, <u32>record + size, 8);
  store<u32>(bucket, load<u32>(bucket, 12) - 1, 12);
  store<u32>(bucket, row + 1, 16);
  store<u32>(bucket, <u32>record, 20);
}

function addPiece(bucket: usize, pieceRows: u32): void {
  const piece = allocate(PIECE_HEAD + <usize>pieceRows * size + SLACK);
  if (load<u32>(bucket) == 0) store<u32>(bucket, <u32>piece);
  else store<u32>(<usize>load<u32>(bucket, 4), <u32>piece);
  store<u32>(bucket, <u32>piece, 4);
  store<u32>(bucket, <u32>(piece + PIECE_HEAD), 8);
  store<u32>(bucket, pieceRows, 12);
}

/**
 * Takes from `count` sent records those that the tree at `index` of a hand-out has in its handed nodes, in the form that subtrees are grown
 * from: `recordSize` bytes with the codes, and (target + TARGET_LIMIT) × 64 + weight as their last word. u32 `next` says by place where the next one goes.
 */
export function takeRows(
  sent: usize,
  count: u32,
  trees: u32,
  index: u32,
  bits: u32,
  top: usize,
  next: usize,
  recordSize: u32,
): void {
  const sentSize = columns + 4 + ((trees * bits + 7) >>> 3);
  const bit = index * bits;
  const mask = (<u32>1 << bits) - 1;
  const weightAt = <usize>columns + 4 + (bit >>> 3);
  const end = sent + <usize>count * sentSize;
  for (let row = sent; row < end; row += sentSize) {
    const times = (<u32>load<u16>(row + weightAt) >>> (bit & 7)) & mask;
    if (times == 0) continue;
    const node = nodeOf(top, row);
    if (kindOf(node) < NOTED) continue;
    const pointer = next + (<usize>placeOf(node) << 2);
    const record = <usize>load<u32>(pointer);
    copyCodes(record, row);
    store<u32>(record + recordSize - 4, (load<u32>(row + columns) << 6) | times);
    store<u32>(pointer, <u32>record + recordSize);
  }
}

/** Eight at a time, up to seven bytes beyond the last. */
// @ts-ignore: decorator
@inline
function copyCodes(to: usize, from: usize): void {
  for (let at: u32 = 0; at < columns; at += 8) store<u64>(to + at, load<u64>(from + at));
}
