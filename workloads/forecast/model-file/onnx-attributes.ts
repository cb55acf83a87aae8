import { type Forest, LEAF, MISSING_LEFT } from "../forest/forest.ts";
import { concat, field, lengthOf, numberField, prefix, putVarint, varintSize } from "./protobuf.ts";

/** Fields of AttributeProto and TensorProto, and the values of their types, from onnx.proto. */
export const ATTRIBUTE = { name: 1, float: 2, int: 3, string: 4, tensor: 5, ints: 8, strings: 9, type: 20 };
const ATTRIBUTE_TYPE = { int: 2, string: 3, tensor: 4, ints: 7, strings: 8 };
export const TENSOR = { dims: 1, dataType: 2, doubles: 10 };
export const DOUBLE = 11;
/** The field of NodeProto that holds its attributes. */
export const NODE_ATTRIBUTE = 5;

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
  /** What leaves are divided by: those of a training set are whole numbers. */
  readonly scale: number;
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
  ints("target_treeids", (view, node) => view.tree[node] as number, leavesOf),
  ints("target_nodeids", (view, node) => view.number[node] as number, leavesOf),
  ints("target_ids", () => 0, leavesOf),
  doubles("target_weights_as_tensor", leavesOf, (view, node) => (view.forest.value[node] as number) / view.scale),
];

export const COLUMN_COUNT = COLUMNS.length;

/** What some consecutive trees add to each attribute. Leaves get their value divided by `scale`. */
export function encodePieces(forest: Forest, scale: number, allocate: Allocate): Piece[] {
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
  const leaves = Uint32Array.from(nodesOf({ forest })).filter((node) => forest.column[node] === LEAF);
  return COLUMNS.map(({ encode }) => encode({ forest, tree, number, leaves, scale, allocate }));
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

function nodesOf({ forest }: Pick<ForestView, "forest">): ArrayLike<number> & Iterable<number> {
  return Uint32Array.from(forest.column.keys());
}

function leavesOf({ leaves }: ForestView): Uint32Array {
  return leaves;
}

function ints(
  name: string,
  valueOf: (view: ForestView, node: number) => number,
  elements: (view: ForestView) => ArrayLike<number> & Iterable<number> = nodesOf,
): Column {
  const encode = (view: ForestView): Piece => {
    const nodes = elements(view);
    let size = 0;
    for (const node of nodes) size += varintSize(valueOf(view, node));
    const head = prefix(ATTRIBUTE.ints, size);
    const bytes = view.allocate(head.byteLength + size);
    bytes.set(head);
    let at = head.byteLength;
    for (const node of nodes) at = putVarint(bytes, at, valueOf(view, node));
    return { count: nodes.length, bytes };
  };
  return { name, kind: "ints", encode };
}

function doubles(
  name: string,
  elements: (view: ForestView) => ArrayLike<number> & Iterable<number>,
  valueOf: (view: ForestView, node: number) => number,
): Column {
  const encode = (view: ForestView): Piece => {
    const nodes = elements(view);
    const head = prefix(TENSOR.doubles, nodes.length * 8);
    const bytes = view.allocate(head.byteLength + nodes.length * 8);
    bytes.set(head);
    const data = new DataView(bytes.buffer, bytes.byteOffset + head.byteLength);
    let at = 0;
    for (const node of nodes) {
      data.setFloat64(at, valueOf(view, node), true);
      at += 8;
    }
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
