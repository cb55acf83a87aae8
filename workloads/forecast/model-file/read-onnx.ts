import { LEAF, MISSING_LEFT } from "../forest/forest.ts";
import { checkHead } from "./check-head.ts";
import { FORMAT, type Model, ONNX_VERSION } from "./head.ts";
import { ATTRIBUTE, NODE_ATTRIBUTE, TARGETS, TENSOR } from "./onnx-attributes.ts";
import { GRAPH, METADATA, MODEL, PRODUCER } from "./onnx-model.ts";
import { readFields, readVarint } from "./protobuf.ts";

/** Reads a model of ONNX that this project wrote; throws as `checkHead` does. */
export function readOnnx(bytes: Uint8Array, file: string): Model {
  const head = checkHead(readMetadata(bytes), ONNX_VERSION, file);
  const { nodes, leaves } = readLists(first(first(bytes, MODEL.graph), GRAPH.node));
  const sizes = countNodes(nodes.tree, nodes.number);
  const value = new Float64Array(nodes.tree.length);
  let at = 0;
  const column = Uint16Array.from(nodes.mode, (mode, node) => {
    if (!isLeaf(mode)) {
      const feature = nodes.feature[node] as number;
      if (feature >= head.features.length) throw new RangeError(`nodes_featureids: there is no feature ${feature}`);
      if (nodes.no[node] !== (nodes.yes[node] as number) + 1) throw disagree("nodes_falsenodeids", node);
      value[node] = nodes.threshold[node] as number;
      return feature + (nodes.missing[node] === 1 ? MISSING_LEFT : 0);
    }
    for (let target = 0; target < TARGETS; target++, at++) {
      if (leaves.tree[at] !== nodes.tree[node]) throw disagree("target_treeids", node);
      if (leaves.number[at] !== nodes.number[node]) throw disagree("target_nodeids", node);
      if (leaves.target[at] !== target) throw disagree("target_ids", node);
      value[node] = (value[node] as number) + (leaves.weight[at] as number);
    }
    return LEAF;
  });
  const left = Uint32Array.from(nodes.yes);
  return { head, forest: { first: 0, models: head.models ?? head.trees, sizes, column, value, left } };
}

/** The model's head as the file has it. One that does not begin as ours do, and cannot be read on, has none. */
function readMetadata(bytes: Uint8Array): Record<string, unknown> {
  const properties: Record<string, unknown> = {};
  try {
    for (const { field, value } of readFields(bytes)) {
      if (!(value instanceof Uint8Array)) continue;
      if (field === MODEL.producer && text(value) === PRODUCER) properties["format"] = FORMAT;
      if (field !== MODEL.metadata) continue;
      const key = text(first(value, 1));
      if (key.startsWith(METADATA)) properties[key.slice(METADATA.length)] = JSON.parse(text(first(value, 2)));
    }
  } catch (error) {
    if (properties["format"] === FORMAT) throw error;
  }
  return properties;
}

/** What the ensemble says of its nodes, and once more of its leaves, with as many weights as there are targets. */
function readLists(ensemble: Uint8Array) {
  const attributes = new Map(
    [...bytesOf(ensemble, NODE_ATTRIBUTE)].map((attribute) => [text(first(attribute, ATTRIBUTE.name)), attribute]),
  );
  const list = <T>(read: (attribute: Uint8Array) => T[], name: string, length?: number): T[] => {
    const values = read(attributes.get(name) ?? new Uint8Array());
    if (length === undefined || values.length === length) return values;
    throw new RangeError(`${name}: it has ${values.length} entries instead of ${length}`);
  };
  const tree = list(ints, "nodes_treeids");
  const mode = list(strings, "nodes_modes", tree.length);
  const weights = mode.filter(isLeaf).length * TARGETS;
  return {
    nodes: {
      tree,
      mode,
      number: list(ints, "nodes_nodeids", tree.length),
      feature: list(ints, "nodes_featureids", tree.length),
      missing: list(ints, "nodes_missing_value_tracks_true", tree.length),
      threshold: list(doubles, "nodes_values_as_tensor", tree.length),
      yes: list(ints, "nodes_truenodeids", tree.length),
      no: list(ints, "nodes_falsenodeids", tree.length),
    },
    leaves: {
      tree: list(ints, "target_treeids", weights),
      number: list(ints, "target_nodeids", weights),
      target: list(ints, "target_ids", weights),
      weight: list(doubles, "target_weights_as_tensor", weights),
    },
  };
}

/** LEAF, where BRANCH_LEQ is the other mode. */
const isLeaf = (mode: Uint8Array): boolean => mode.length === "LEAF".length;

const disagree = (name: string, node: number): RangeError =>
  new RangeError(`${name}: it does not go with node ${node} of all`);

/** [trees] The nodes of each tree, which come in order. */
function countNodes(trees: readonly number[], numbers: readonly number[]): Uint32Array {
  const sizes: number[] = [];
  trees.forEach((tree, node) => {
    const number = numbers[node] as number;
    if (number === 0) sizes.push(0);
    const last = sizes.length - 1;
    if (tree !== last) throw disagree("nodes_treeids", node);
    if (number !== sizes[last]) throw disagree("nodes_nodeids", node);
    sizes[last] = number + 1;
  });
  return Uint32Array.from(sizes);
}

/** The fields of a message with this number, as bytes. */
function* bytesOf(message: Uint8Array, number: number): Generator<Uint8Array> {
  for (const { field, value } of readFields(message)) if (field === number && value instanceof Uint8Array) yield value;
}

function first(message: Uint8Array, number: number): Uint8Array {
  for (const bytes of bytesOf(message, number)) return bytes;
  return new Uint8Array();
}

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

const strings = (attribute: Uint8Array): Uint8Array[] => [...bytesOf(attribute, ATTRIBUTE.strings)];

function ints(attribute: Uint8Array): number[] {
  const values: number[] = [];
  for (const block of bytesOf(attribute, ATTRIBUTE.ints)) {
    for (let at = 0; at < block.length; ) {
      const { value, end } = readVarint(block, at);
      values.push(value);
      at = end;
    }
  }
  return values;
}

function doubles(attribute: Uint8Array): number[] {
  const values: number[] = [];
  for (const block of bytesOf(first(attribute, ATTRIBUTE.tensor), TENSOR.doubles)) {
    const data = new DataView(block.buffer, block.byteOffset, block.byteLength);
    for (let at = 0; at + 8 <= block.length; at += 8) values.push(data.getFloat64(at, true));
  }
  return values;
}
