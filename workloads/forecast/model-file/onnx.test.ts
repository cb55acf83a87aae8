import { expect, test } from "vitest";
import { philoxRng } from "../../../shared/rng.ts";
import { type Forest, joinTrees, LEAF, MISSING_LEFT, sumLeaves, type Tree } from "../forest/forest.ts";
import { linearValue } from "../forest/linear.ts";
import { FORMAT, type ModelHead, ONNX_VERSION, VERSION } from "./head.ts";
import { COLUMN_COUNT, coarseUnit, encodePieces, joinPieces } from "./onnx-attributes.ts";
import { onnxFrame } from "./onnx-model.ts";
import { readModel } from "./read-model.ts";
import { concat, lengthOf, putVarint, readVarint, varintSize } from "./protobuf.ts";

const allocate = (bytes: number): Uint8Array => new Uint8Array(bytes);
const COLUMNS = 3;

const SCALE = 2 ** 20 * 10;
const BASE = 38.7;

/** Trees of random shape, thresholds and leaves; tree number n is the same in every forest. */
function randomForest(trees: number, first = 0): Forest {
  return joinTrees(
    first,
    Array.from({ length: trees }, (_, index) => randomTree(first + index)),
    allocate,
  );
}

function randomTree(number: number): Tree {
  const rng = philoxRng(7, number);
  const column = [LEAF];
  const left = [0];
  const value = [0];
  for (let node = 0; node < column.length; node++) {
    // Up to 2³⁴: the sum of the trees of a boosted model stays below 2³⁷.
    value[node] = (rng.below(2 ** 30) - 2 ** 29) * 32 + rng.below(32);
    if (column.length > 40 || rng.unit() < 0.2) continue;
    column[node] = rng.below(COLUMNS) + (rng.unit() < 0.5 ? MISSING_LEFT : 0);
    value[node] = rng.unit() < 0.1 ? Number.MAX_VALUE : rng.unit() * 10;
    left[node] = column.length;
    column.push(LEAF, LEAF);
    left.push(0, 0);
    value.push(0, 0);
  }
  return { column: Uint16Array.from(column), value: Float64Array.from(value), left: Uint32Array.from(left) };
}

const headOf = (trees: number, more: Partial<ModelHead> = {}): ModelHead => ({
  format: FORMAT,
  version: VERSION,
  model: "rf",
  target: "dampness \u{1f4a7}",
  features: ["a", "b", "c × d"],
  plan: { same: ["a", "b"], harmonics: 0, horizon: null, past: [], lags: [], windows: [] },
  cleaning: { a: { low: 0, high: 10 }, b: null },
  trained: { rows: 31, from: "19900101", to: "19900131" },
  options: { seed: 3, maxDepth: null, minLeaf: 1, maxFeatures: COLUMNS },
  base: BASE,
  scale: SCALE,
  trees,
  ...more,
});

/** Rows of which some values are missing and some lie on thresholds. */
function rowsFor(forest: Forest, rows: number): Float64Array {
  const rng = philoxRng(8, 0);
  return Float64Array.from({ length: rows * COLUMNS }, () => {
    const kind = rng.below(3);
    if (kind === 0) return Number.NaN;
    return kind === 1 ? rng.unit() * 10 : Math.min(forest.value[rng.below(forest.value.length)] as number, 1e4);
  });
}

/** A file of some parts; the first part's piece of list number `twice` is there twice. */
function write(head: ModelHead, parts: readonly Forest[], twice?: number): Uint8Array {
  const pieces = parts.map((part) => encodePieces(part, coarseUnit(head.models ?? head.trees), allocate));
  const attributes = Array.from({ length: COLUMN_COUNT }, (_, column) => {
    const list = [...(column === twice ? pieces.slice(0, 1) : []), ...pieces];
    return joinPieces(
      column,
      list.map((part) => part[column] ?? { count: 0, bytes: new Uint8Array() }),
      allocate,
    );
  });
  const { before, after } = onnxFrame(head, lengthOf(attributes));
  return concat([before, ...attributes, after]);
}

type Fields = Map<number, (bigint | Uint8Array)[]>;

/** Protocol Buffers read by the book, and by nothing of the writer: every field of a message by its number. */
function decode(bytes: Uint8Array): Fields {
  const fields: Fields = new Map();
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) throw new Error("cut short");
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    const number = Number(tag >> 3n);
    let value: bigint | Uint8Array;
    if ((tag & 7n) === 0n) value = varint();
    else {
      expect(tag & 7n).toBe(2n);
      const length = Number(varint());
      value = bytes.slice(at, at + length);
      expect(value.length).toBe(length);
      at += length;
    }
    fields.set(number, [...(fields.get(number) ?? []), value]);
  }
  return fields;
}

const text = (value: bigint | Uint8Array | undefined): string => new TextDecoder().decode(value as Uint8Array);
const messages = (fields: Fields, number: number) =>
  (fields.get(number) ?? []).map((value) => decode(value as Uint8Array));
const packed = (values: readonly (bigint | Uint8Array)[]): number[] =>
  values.flatMap((value) => {
    const numbers: number[] = [];
    for (let at = 0; at < (value as Uint8Array).length; ) {
      const { value: next, end } = readVarint(value as Uint8Array, at);
      numbers.push(next);
      at = end;
    }
    return numbers;
  });
const doubles = (values: readonly (bigint | Uint8Array)[]): number[] =>
  values.flatMap((value) => Array.from(new Float64Array((value as Uint8Array).slice().buffer)));

/** Evaluates a file by the operators' specifications; a value is a list of rows. */
function evaluate(file: Uint8Array, features: Float64Array): number[] {
  const [graph = new Map() as Fields] = messages(decode(file), 7);
  const values = new Map<string, number[][]>();
  const rows = features.length / COLUMNS;
  values.set(
    "features",
    Array.from({ length: rows }, (_, row) => [...features.subarray(row * COLUMNS, (row + 1) * COLUMNS)]),
  );
  for (const constant of messages(graph, 5)) {
    const width = constant.get(1)?.length === 2 ? 1 : Number(constant.get(1)?.[0]);
    const flat = doubles(constant.get(10) ?? []);
    const list = Array.from({ length: flat.length / width }, (_, at) => flat.slice(at * width, (at + 1) * width));
    values.set(text(constant.get(8)?.[0]), list);
  }
  for (const node of messages(graph, 1)) {
    const [a = [], b = [], c = []] = (node.get(1) ?? []).map((name) => values.get(text(name)) ?? []);
    // Every value is as wide as its row, or one number, or one row for all.
    const each = (by: (x: number, y: number, z: number) => number): number[][] =>
      Array.from({ length: rows }, (_, row) => {
        const of = (value: number[][]): number[] => value[value.length === 1 ? 0 : row] ?? [];
        const [x, y, z] = [of(a), of(b), of(c)];
        const width = Math.max(x.length, y.length, z.length);
        const pick = (from: number[], at: number): number => from[from.length === 1 ? 0 : at] ?? Number.NaN;
        return Array.from({ length: width }, (_, at) => by(pick(x, at), pick(y, at), pick(z, at)));
      });
    const operators: Record<string, () => number[][]> = {
      TreeEnsembleRegressor: () => ensemble(node, a),
      Cast: () => a,
      Add: () => each((x, y) => x + y),
      Sub: () => each((x, y) => x - y),
      Div: () => each((x, y) => x / y),
      IsNaN: () => each((x) => (Number.isNaN(x) ? 1 : 0)),
      Where: () => each((x, y, z) => (x === 1 ? y : z)),
      MatMul: () => a.map((row) => [row.reduce((sum, value, at) => sum + value * (b[at]?.[0] ?? Number.NaN), 0)]),
    };
    const result = operators[text(node.get(4)?.[0])]?.();
    expect(result).toBeDefined();
    values.set(text(node.get(2)?.[0]), result ?? []);
  }
  return (values.get("prediction") ?? []).map(([value = Number.NaN]) => value);
}

function ensemble(node: Fields, rows: readonly number[][]): number[][] {
  const attributes = new Map(messages(node, 5).map((fields) => [text(fields.get(1)?.[0]), fields]));
  const ints = (name: string): number[] => packed(attributes.get(name)?.get(8) ?? []);
  const tensor = (name: string): number[] => {
    const [fields] = messages(attributes.get(name) ?? (new Map() as Fields), 5);
    const values = doubles(fields?.get(10) ?? []);
    expect(fields?.get(1)).toEqual([BigInt(values.length)]);
    return values;
  };
  expect(text(attributes.get("aggregate_function")?.get(4)?.[0])).toBe("SUM");
  const targets = Number(attributes.get("n_targets")?.get(3)?.[0]);
  const [trees, nodes, feature] = [ints("nodes_treeids"), ints("nodes_nodeids"), ints("nodes_featureids")];
  const [yes, no] = [ints("nodes_truenodeids"), ints("nodes_falsenodeids")];
  const missing = ints("nodes_missing_value_tracks_true");
  const modes = (attributes.get("nodes_modes")?.get(9) ?? []).map(text);
  const threshold = tensor("nodes_values_as_tensor");
  const weights = tensor("target_weights_as_tensor");
  const key = (tree: number | undefined, node: number | undefined) => `${tree}/${node}`;
  const at = new Map(trees.map((tree, index) => [key(tree, nodes[index]), index]));
  expect(new Set([trees, nodes, feature, yes, no, missing, modes, threshold].map(({ length }) => length)).size).toBe(1);
  const [targetNodes, targetIds] = [ints("target_nodeids"), ints("target_ids")];
  const weight = new Map<string, number>();
  ints("target_treeids").forEach((tree, index) => {
    weight.set(`${key(tree, targetNodes[index])}/${targetIds[index]}`, weights[index] ?? Number.NaN);
  });
  expect(weight.size).toBe(weights.length);
  const leafOf = (tree: number, row: readonly number[]): string => {
    for (let node = 0; ; ) {
      const index = at.get(key(tree, node)) ?? Number.NaN;
      if (modes[index] === "LEAF") return key(tree, node);
      expect(modes[index]).toBe("BRANCH_LEQ");
      const value = row[feature[index] ?? 0] ?? Number.NaN;
      const goes = value <= (threshold[index] ?? 0) || (missing[index] === 1 && Number.isNaN(value));
      node = (goes ? yes[index] : no[index]) ?? Number.NaN;
    }
  };
  return rows.map((row) => {
    const leaves = [...new Set(trees)].map((tree) => leafOf(tree, row));
    // The operator gives single floats, and a runtime may add in them too.
    const add = (sum: number, term: number): number => Math.fround(sum + Math.fround(term));
    return Array.from({ length: targets }, (_, target) =>
      leaves.map((leaf) => weight.get(`${leaf}/${target}`) ?? Number.NaN).reduce(add, 0),
    );
  });
}

const linear = { intercept: 4, coefficients: [0.5, -2, 0.125], means: [1, 2, 3] };

test.each([
  ["a forest", {}],
  ["boosting", { models: 3 }],
  ["a forest on what a linear model leaves", { linear }],
  ["boosting on what a linear model leaves", { models: 1, linear }],
] as const)("an independent reader predicts the same: %s, values missing and on thresholds included", (_, more) => {
  const forest = randomForest(9);
  const features = rowsFor(forest, 200);
  const sums = new Float64Array(200);
  sumLeaves(forest, features, COLUMNS, sums);
  const head = headOf(9, more);
  const { models = 9 } = head;
  const trend = {
    ...linear,
    coefficients: Float64Array.from(linear.coefficients),
    means: Float64Array.from(linear.means),
  };
  evaluate(write(head, [forest]), features).forEach((prediction, row) => {
    const trees = ((sums[row] as number) + models * Math.round(BASE * SCALE)) / (models * SCALE);
    if (head.linear === undefined) {
      expect(prediction).toBe(trees);
    } else {
      expect(prediction).toBeCloseTo(trees + linearValue(trend, features, row * COLUMNS), 10);
    }
  });
});

test.each([
  [1, 2 ** 13],
  [3, 2 ** 15],
  [100, 2 ** 20],
])("a sum of %i models of 37 bits is one of 24 bits in units of %i", (models, unit) => {
  expect(coarseUnit(models)).toBe(unit);
  expect((models * 2 ** 37) / unit).toBeLessThanOrEqual(2 ** 24);
});

test("a list that does not go with the others is damaged", () => {
  for (let column = 0; column < COLUMN_COUNT; column++) {
    const file = write(headOf(3), [randomForest(3)], column);
    expect(() => readModel(file, "m.onnx"), `list ${column}`).toThrow("m.onnx: the model is damaged: ");
  }
});

test("a file from parts holds what a file from the whole does", () => {
  const forest = randomForest(4);
  const features = rowsFor(forest, 50);
  const parts = write(headOf(4), [randomForest(3), randomForest(1, 3)]);
  expect(evaluate(parts, features)).toEqual(evaluate(write(headOf(4), [forest]), features));
});

test("a file that is cut short anywhere is damaged; its first twelve bytes say whose it is", () => {
  const file = write(headOf(2), [randomForest(2)]);
  expect(readModel(file, "m.onnx").forest).toMatchObject(randomForest(2));
  for (let length = 0; length < file.length; length++) {
    expect(() => readModel(file.slice(0, length), "m.onnx"), `${length} bytes`).toThrow(
      length < 12 ? "m.onnx: this is no model of forecast" : "m.onnx: the model is damaged: ",
    );
  }
});

test("the head travels as metadata, each field as JSON", () => {
  const properties = messages(decode(write(headOf(1), [randomForest(1)])), 14).map((entry) => [
    text(entry.get(1)?.[0]).replace("kindling.", ""),
    JSON.parse(text(entry.get(2)?.[0])) as unknown,
  ]);
  expect(Object.fromEntries(properties)).toEqual({ ...headOf(1), version: ONNX_VERSION });
});

test("model.onnx is what it was: a change of its bytes is a change of the format", async () => {
  await expect(`${write(headOf(2), [randomForest(2)]).toHex()}\n`).toMatchFileSnapshot("golden/model.onnx.hex");
});

test("varints of every length", () => {
  const bytes = new Uint8Array(10);
  for (const value of [0, 1, 127, 128, 300, 2 ** 21, 2 ** 28 - 1, 2 ** 32, 2 ** 35 + 1, Number.MAX_SAFE_INTEGER]) {
    const end = putVarint(bytes, 0, value);
    expect(end).toBe(varintSize(value));
    expect(readVarint(bytes, 0)).toEqual({ value, end });
  }
  expect(() => readVarint(Uint8Array.of(0x80), 0)).toThrow("passes the end");
  expect(() => readVarint(new Uint8Array(11).fill(0x80), 0)).toThrow("more than 10 bytes");
});
