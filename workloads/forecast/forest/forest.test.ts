import { expect, test } from "vitest";
import { type Tree, TreeList } from "./forest.ts";

const allocate = (bytes: number): Uint8Array => new Uint8Array(bytes);

test.each([
  ["of about one size", [5, 5, 7, 3]],
  ["that outgrow what the first ones promised", [1, 1, 99, 1001]],
  ["that are far smaller than the first one", [999, 1, 1]],
  ["more than expected", [3, 3, 3, 3, 3, 3, 3, 3, 3]],
])("trees %s are kept in turn, though the kernel writes each over the one before", (_name, sizes) => {
  const list = new TreeList(4, allocate);
  const memory = {
    column: new Uint16Array(1001),
    value: new Float64Array(1001),
    left: new Uint32Array(1001),
  };
  sizes.forEach((size, tree) => {
    for (const array of Object.values(memory)) array.fill(tree + 1);
    list.add(firstOf(memory, size));
  });
  const expected = sizes.flatMap((size, tree) => new Array<number>(size).fill(tree + 1));
  const { column, value, left, ...rest } = list.forest(7, 2);
  expect(rest).toEqual({ first: 7, models: 2, sizes: Uint32Array.from(sizes) });
  for (const array of [column, value, left]) expect([...array]).toEqual(expected);
});

test("what is reserved is taken once", () => {
  let bytes = 0;
  const list = new TreeList(2, (more) => {
    bytes += more;
    return allocate(more);
  });
  const tree = { column: new Uint16Array(3), value: new Float64Array(3), left: new Uint32Array(3) };
  list.reserve(6);
  list.add(tree);
  list.add(tree);
  expect(bytes).toBe(6 * (2 + 8 + 4));
  expect(list.forest(0, 2).column.length).toBe(6);
});

const firstOf = ({ column, value, left }: Tree, nodes: number): Tree => ({
  column: column.subarray(0, nodes),
  value: value.subarray(0, nodes),
  left: left.subarray(0, nodes),
});
