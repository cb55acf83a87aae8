import { InputError } from "kindling";
import { type Forest, LEAF, MISSING_LEFT } from "../forest/forest.ts";
import { FORMAT, type ModelHead, VERSION } from "./head.ts";
import { ATTRIBUTE, NODE_ATTRIBUTE, TENSOR } from "./onnx-attributes.ts";
import { GRAPH, METADATA, MODEL } from "./onnx-model.ts";
import { readFields, readVarint } from "./protobuf.ts";

export type Model = { readonly head: ModelHead; readonly forest: Forest };

type JsonTree = {
  readonly column: readonly number[];
  readonly missing: string;
  readonly value: readonly number[];
  readonly left: readonly number[];
};

/** Reads a model that this project wrote, as JSON or ONNX, which its first byte tells apart. Throws an InputError. */
export function readModel(bytes: Uint8Array, file: string): Model {
  const model = guarded(file, () => (bytes[0] === 0x7b ? readJson(bytes, file) : readOnnx(bytes, file)));
  const { column, left, sizes } = model.forest;
  let root = 0;
  for (const [tree, size] of sizes.entries()) {
    for (let node = root; node < root + size; node++) {
      const isLeaf = column[node] === LEAF;
      const child = left[node] as number;
      const fine = isLeaf
        ? child === 0
        : child > node - root &&
          child + 1 < size &&
          ((column[node] as number) & ~MISSING_LEFT) < model.head.features.length;
      if (!fine) throw damaged(file, `a node of tree ${tree} leads nowhere`);
    }
    root += size;
  }
  if (root !== column.length || sizes.length !== model.head.trees) throw damaged(file, "it has not all of its trees");
  return model;
}

const damaged = (file: string, what: string, cause?: unknown): InputError =>
  new InputError(`${file}: the model is damaged: ${what}; write it again with --model-out`, { cause });

function guarded<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw damaged(file, error instanceof Error ? error.message : String(error), error);
  }
}

function checkHead(head: Readonly<Record<string, unknown>>, file: string): ModelHead {
  const { format, version } = head;
  if (format === "kindling-forest-series") {
    throw new InputError(`${file}: these are models of several series; predict needs the model of a single one`);
  }
  // As that library writes its regression forest.
  if (head["name"] === "RFRegression") {
    throw new InputError(
      `${file}: this is the model of --engine ml-random-forest, which is for that library to load; train with --engine kindling to predict from a saved model`,
    );
  }
  if (format !== FORMAT) {
    throw new InputError(
      `${file}: this is no model of forecast; give the file that \`kindling run forecast --model-out\` wrote`,
    );
  }
  if (version !== VERSION) {
    throw new InputError(
      `${file}: the model has version ${String(version)}, and this program reads version ${VERSION}; train it again`,
    );
  }
  if (!("plan" in head && "features" in head && "cleaning" in head && "trees" in head)) {
    throw damaged(file, "it does not say what it predicts from");
  }
  return head as unknown as ModelHead;
}

function readJson(bytes: Uint8Array, file: string): Model {
  const { forest: trees, ...rest } = JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown> & {
    forest?: readonly JsonTree[];
  };
  const head = checkHead(rest, file);
  if (trees === undefined) throw damaged(file, "it has no trees");
  const sizes = Uint32Array.from(trees, ({ column }) => column.length);
  const nodes = sizes.reduce((total, size) => total + size, 0);
  const column = new Uint16Array(nodes);
  const value = new Float64Array(nodes);
  const left = new Uint32Array(nodes);
  let at = 0;
  for (const tree of trees) {
    value.set(tree.value, at);
    left.set(tree.left, at);
    for (const [node, feature] of tree.column.entries()) {
      column[at++] = feature < 0 ? LEAF : feature + (tree.missing[node] === "L" ? MISSING_LEFT : 0);
    }
  }
  return { head, forest: { first: 0, models: head.models ?? head.trees, sizes, column, value, left } };
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

function readOnnx(bytes: Uint8Array, file: string): Model {
  const properties: Record<string, unknown> = {};
  for (const entry of guardedList(() => [...bytesOf(bytes, MODEL.metadata)])) {
    const key = text(first(entry, 1));
    if (key.startsWith(METADATA)) properties[key.slice(METADATA.length)] = JSON.parse(text(first(entry, 2)));
  }
  const head = checkHead(properties, file);
  const ensemble = first(first(bytes, MODEL.graph), GRAPH.node);
  const attributes = new Map(
    [...bytesOf(ensemble, NODE_ATTRIBUTE)].map((attribute) => [text(first(attribute, ATTRIBUTE.name)), attribute]),
  );
  const attribute = (name: string): Uint8Array => attributes.get(name) ?? new Uint8Array();
  const trees = ints(attribute("nodes_treeids"));
  const features = ints(attribute("nodes_featureids"));
  const missing = ints(attribute("nodes_missing_value_tracks_true"));
  const thresholds = doubles(attribute("nodes_values_as_tensor"));
  const weights = doubles(attribute("target_weights_as_tensor"));
  const sizes = new Uint32Array(head.trees);
  for (const tree of trees) sizes[tree] = (sizes[tree] ?? 0) + 1;
  const modes = [...bytesOf(attribute("nodes_modes"), ATTRIBUTE.strings)];
  let leaf = 0;
  const value = new Float64Array(trees.length);
  const column = Uint16Array.from(modes, (mode, node) => {
    // LEAF and BRANCH_LEQ.
    if (mode.length > 4) {
      value[node] = thresholds[node] as number;
      return (features[node] as number) + (missing[node] === 1 ? MISSING_LEFT : 0);
    }
    value[node] = Math.round((weights[leaf++] as number) * head.scale);
    return LEAF;
  });
  const left = Uint32Array.from(ints(attribute("nodes_truenodeids")));
  return { head, forest: { first: 0, models: head.models ?? head.trees, sizes, column, value, left } };
}

/** A file that is no Protocol Buffers message is no model either. */
function guardedList(read: () => Uint8Array[]): Uint8Array[] {
  try {
    return read();
  } catch {
    return [];
  }
}

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
