import { type Forest, LEAF, MISSING_LEFT } from "../forest/forest.ts";
import { concat, field, lengthOf, numberField, prefix, putVarint, varintSize } from "./protobuf.ts";

/** Fields of AttributeProto and TensorProto, and the values of their types, from onnx.proto. */
export const ATTRIBUTE = { name: 1, float: 2, int: 3, string: 4, tensor: 5, ints: 8, strings: 9, type: 20 };
const ATTRIBUTE_TYPE = { int: 2, string: 3, tensor: 4, ints: 7, strings: 8 };
export const TENSOR = { dims: 1, dataType: 2, doubles: 10 };
export const DOUBLE = 11;
/** The field of NodeProto that holds its attributes. */
export const NODE_ATTRIBUTE = 5;

/** A runtime gives sums of leaves as single floats, of 24 bits. So there are two: of the leaves' coarse parts, and of the rest. */
export const TARGETS = 2;

/**
 * The power of two whose multiples are the coarse parts of leaves. Leaves are whole numbers of at most 2³⁶, so that the sum of all trees
 * is at most `models` times that, and seldom twice as much where trees are boosted: it has at most 2²⁴ such units, and is exact. The rest
 * of a leaf is at most half a unit, and 2⁻²⁴ of all rests is what is lost.
 */
export function coarseUnit(models: number): number {
  let unit = 2 ** 13;
  while (unit < models * 2 ** 13) unit *= 2;
  return unit;
}

/** One attribute's share of some trees: a piece of its repeated field, and the number of elements in it. */
export type Piece = { readonly count: number; readonly bytes: Uint8Array };

type Kind = "ints" | "strings" | "tensor";
type Column = { readonly name: string; readonly kind: Kind; readonly encode: (view: ForestView) => Piece };
type Allocate = (bytes: number) => Uint8Array;

/** A forest's nodes with what ONNX asks of each. */
type ForestView = {
  readonly forest: Forest;
  /** Per node: its tree's number in the model, and its own number in the tree. */
  readonly tree: Uint32Array;
  readonly number: Uint32Array;
  /** Positions of all leaves. */
  readonly leaves: Uint32Array;
  /** See `coarseUnit`. */
  readonly unit: number;
  readonly allocate: Allocate;
};

const isLeaf = ({ forest }: ForestView, node: number): boolean => forest.column[node] === LEAF;

/** The attributes of TreeEnsembleRegressor 3 that grow with the trees, in their order in the file. */
const COLUMNS: readonly Column[] = [
  ints("nodes_treeids", (view, node) => view.tree[node] as number),
  ints("nodes_nodeids", (view, node) => view.number[node] as number),
  ints("nodes_featureids", (view, node) =>
    isLeaf(view, node) ? 0 : (view.forest.column[node] as number) & ~MISSING_LEFT,
  ),
  { name: "nodes_modes", kind: "strings", encode: modes },
  doubles("nodes_values_as_tensor", nodesOf, (view, node) =>
    isLeaf(view, node) ? 0 : (view.forest.value[node] as number),
  ),
  ints("nodes_truenodeids", (view, node) => view.forest.left[node] as number),
  ints("nodes_falsenodeids", (view, node) => (isLeaf(view, node) ? 0 : (view.forest.left[node] as number) + 1)),
  ints("nodes_missing_value_tracks_true", (view, node) =>
    !isLeaf(view, node) && (view.forest.column[node] as number) >= MISSING_LEFT ? 1 : 0,
  ),
  ints("target_treeids", (view, leaf) => view.tree[leaf] as number, leavesTwice),
  ints("target_nodeids", (view, leaf) => view.number[leaf] as number, leavesTwice),
  ints("target_ids", (_, __, at) => at % TARGETS, leavesTwice),
  doubles("target_weights_as_tensor", leavesTwice, ({ forest, unit }, leaf, at) => {
    const value = forest.value[leaf] as number;
    const coarse = Math.round(value / unit) * unit;
    return at % TARGETS === 0 ? coarse : value - coarse;
  }),
];

export const COLUMN_COUNT = COLUMNS.length;

/** What some consecutive trees add to each attribute; `unit` is the `coarseUnit` of all trees. */
export function encodePieces(forest: Forest, unit: number, allocate: Allocate): Piece[] {
  const nodes = forest.column.length;
  const tree = new Uint32Array(nodes);
  const number = new Uint32Array(nodes);
  let at = 0;
  forest.sizes.forEach((size, index) => {
    for (let node = 0; node < size; node++, at++) {
      tree[at] = forest.first + index;
      number[at] = node;
    }
  });
  const leaves = nodesOf({ forest }).filter((node) => forest.column[node] === LEAF);
  return COLUMNS.map(({ encode }) => encode({ forest, tree, number, leaves, unit, allocate }));
}

/** A whole attribute, as a field of its node. */
export function joinPieces(column: number, pieces: readonly Piece[], allocate: Allocate): Uint8Array {
  const { name, kind } = COLUMNS[column] as Column;
  const head = attributeHead(name, kind);
  const content = pieces.map(({ bytes }) => bytes);
  if (kind !== "tensor") {
    return concat([prefix(NODE_ATTRIBUTE, head.byteLength + lengthOf(content)), head, ...content], allocate);
  }
  const count = pieces.reduce((total, piece) => total + piece.count, 0);
  const shape = concat([numberField(TENSOR.dims, count), numberField(TENSOR.dataType, DOUBLE)]);
  const tensor = [prefix(ATTRIBUTE.tensor, shape.byteLength + lengthOf(content)), shape, ...content];
  return concat([prefix(NODE_ATTRIBUTE, head.byteLength + lengthOf(tensor)), head, ...tensor], allocate);
}

export const intAttribute = (name: string, value: number): Uint8Array =>
  field(NODE_ATTRIBUTE, attributeHead(name, "int"), numberField(ATTRIBUTE.int, value));

export const textAttribute = (name: string, value: string): Uint8Array =>
  field(NODE_ATTRIBUTE, attributeHead(name, "string"), field(ATTRIBUTE.string, value));

const attributeHead = (name: string, kind: keyof typeof ATTRIBUTE_TYPE): Uint8Array =>
  concat([field(ATTRIBUTE.name, name), numberField(ATTRIBUTE.type, ATTRIBUTE_TYPE[kind])]);

function nodesOf({ forest }: Pick<ForestView, "forest">): Uint32Array {
  return Uint32Array.from(forest.column.keys());
}

/** Each leaf comes twice, with its coarse part and with the rest. */
function leavesTwice({ leaves }: ForestView): Uint32Array {
  return Uint32Array.from({ length: leaves.length * TARGETS }, (_, at) => leaves[Math.floor(at / TARGETS)] as number);
}

function ints(
  name: string,
  valueOf: (view: ForestView, node: number, at: number) => number,
  elements: (view: ForestView) => Uint32Array = nodesOf,
): Column {
  const encode = (view: ForestView): Piece => {
    const nodes = elements(view);
    const values = Float64Array.from(nodes, (node, at) => valueOf(view, node, at));
    let size = 0;
    for (const value of values) size += varintSize(value);
    const head = prefix(ATTRIBUTE.ints, size);
    const bytes = view.allocate(head.byteLength + size);
    bytes.set(head);
    let at = head.byteLength;
    for (const value of values) at = putVarint(bytes, at, value);
    return { count: nodes.length, bytes };
  };
  return { name, kind: "ints", encode };
}

function doubles(
  name: string,
  elements: (view: ForestView) => Uint32Array,
  valueOf: (view: ForestView, node: number, at: number) => number,
): Column {
  const encode = (view: ForestView): Piece => {
    const nodes = elements(view);
    const head = prefix(TENSOR.doubles, nodes.length * 8);
    const bytes = view.allocate(head.byteLength + nodes.length * 8);
    bytes.set(head);
    const data = new DataView(bytes.buffer, bytes.byteOffset + head.byteLength);
    nodes.forEach((node, at) => {
      data.setFloat64(at * 8, valueOf(view, node, at), true);
    });
    return { count: nodes.length, bytes };
  };
  return { name, kind: "tensor", encode };
}

const BRANCH = field(ATTRIBUTE.strings, "BRANCH_LEQ");
const LEAF_MODE = field(ATTRIBUTE.strings, "LEAF");

function modes(view: ForestView): Piece {
  const nodes = view.forest.column.length;
  const branches = nodes - view.leaves.length;
  const bytes = view.allocate(branches * BRANCH.byteLength + view.leaves.length * LEAF_MODE.byteLength);
  let at = 0;
  for (const column of view.forest.column) {
    const mode = column === LEAF ? LEAF_MODE : BRANCH;
    bytes.set(mode, at);
    at += mode.byteLength;
  }
  return { count: nodes, bytes };
}
