import { expect, test } from "vitest";
import type { RowBlock, RowFrame } from "./block.ts";
import { type Growth, type GrowingTree, HANDED, type LevelOptions } from "./growth.ts";
import { bucketsOf, chooseTogether, estimateSent, handOuts, pieceRows, sentBytes, TOGETHER } from "./hand-out.ts";

const options: LevelOptions = { seed: 1, maxDepth: 9, minLeaf: 1, maxFeatures: 2 };
/** The share of the rows that a tree draws with replacement. */
const DRAWN = 1 - 1 / Math.E;

/** What at least one of two trees draws. */
const EITHER = DRAWN * (2 - DRAWN);

const handed = (...nodes: readonly (readonly [id: number, rows: number])[]) =>
  nodes.map(([id, rows], node) => ({ tree: 0, node, id, rows }));

test("nodes side by side in a tree share a bucket, on whatever level they are", () => {
  // From left to right: 8, 9, 5, 6, 7.
  expect([...bucketsOf(handed([5, 100], [6, 100], [7, 100], [8, 50], [9, 50]), 2)]).toEqual([0, 1, 1, 0, 0]);
});

test("a node stays in its bucket where the nodes before it have a few rows more or fewer", () => {
  const even = handed([4, 100], [5, 100], [6, 100], [7, 100]);
  const uneven = handed([4, 97], [5, 104], [6, 102], [7, 96]);
  expect([...bucketsOf(even, 4)]).toEqual([0, 1, 2, 3]);
  expect([...bucketsOf(uneven, 4)]).toEqual([0, 1, 2, 3]);
});

test("trees are handed out in parts of about as many, whose buckets follow from the bytes that are sent", () => {
  const outs = handOuts({ rows: 2_000_000, columns: 20 }, options, 50, 16);
  expect(outs.map(({ from, to }) => [from, to])).toEqual([
    [0, 12],
    [12, 25],
    [25, 37],
    [37, 50],
  ]);
  // 12 weights of 4 bits.
  expect(sentBytes(20, 12, 4)).toBe(30);
  expect(outs[0]?.buckets).toBe(Math.ceil((2_000_000 * 30) / 2 ** 23));
  expect(handOuts({ rows: 10, columns: 1 }, options, 3, 1)).toHaveLength(3);
});

test("the pieces that many buckets begin take little more room than is sent", () => {
  const size = sentBytes(1000, 16, 4);
  expect(pieceRows(1, size)).toBe(2048);
  expect(pieceRows(600, size) * 600 * size).toBeLessThanOrEqual(2 ** 24);
  expect(pieceRows(1_000_000, size)).toBe(16);
});

/** A root that splits on a column in the middle of its values, and whose children are handed. */
const splitOn = (column: number, rows: number): GrowingTree => ({
  column: Uint16Array.of(column, HANDED, HANDED),
  border: Uint8Array.of(1, 0, 0),
  missingLeft: new Uint8Array(3),
  left: Uint32Array.of(1, 0, 0),
  value: new Float64Array(3),
  id: Uint32Array.of(1, 2, 3),
  rows: Uint32Array.of(rows, rows / 2, rows / 2),
  open: new Uint32Array(0),
  parent: new Int32Array(0),
});

/** [rows × 2] Codes of 0 to 3: the columns are independent of each other. */
function evenBlock(rows: number): RowBlock {
  const codes = Uint8Array.from({ length: rows * 2 }, (_, at) => (at % 2 === 0 ? (at >>> 1) & 3 : (at >>> 3) & 3));
  return { first: 0, rows, codes, targets: new Int32Array(rows) };
}

const frameOf = (rows: number): RowFrame => ({
  rows,
  columns: 2,
  cellStart: Uint32Array.of(0, 5, 10),
  values: new Float64Array(8),
  uppers: new Float64Array(8),
  valueStart: Uint32Array.of(0, 4, 8),
  base: 0,
  scale: 1,
});

test("what is sent is estimated by how far the trees agree", () => {
  const rows = 2 ** 22;
  const block = evenBlock(2 ** 12);
  const of = (...columns: readonly number[]): number[] => {
    const growth: Growth = { first: 0, trees: columns.map((column) => splitOn(column, rows)) };
    return estimateSent(growth, frameOf(rows), options, block);
  };
  const two = TOGETHER.indexOf(2);
  const bytes = sentBytes(2, 2, 4) * block.rows;
  // A row is sent once if either tree draws it, or, where they put it into two buckets, by each tree that draws it.
  expect(of(0, 0)[two]).toBeCloseTo(EITHER * bytes, 0);
  const apart = handOuts(frameOf(rows), options, 2, 2)[0]?.buckets ?? 0;
  expect(apart).toBeGreaterThan(1);
  expect(of(0, 1)[two]).toBeCloseTo((EITHER / 2 + DRAWN) * bytes, 0);
});

test("as many trees are handed out together as every block can send at a time", () => {
  const [few, many] = [2 ** 20, 2 ** 26];
  expect(chooseTogether([[few, few, few, few, few]])).toBe(16);
  expect(
    chooseTogether([
      [many, few, few, few, few],
      [few, many, few, few, few],
    ]),
  ).toBe(4);
  expect(chooseTogether([[many, many, many, many, many]])).toBe(1);
});
