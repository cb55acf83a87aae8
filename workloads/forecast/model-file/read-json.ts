import { LEAF, MISSING_LEFT } from "../forest/forest.ts";
import { checkHead } from "./check-head.ts";
import { type Model, VERSION } from "./head.ts";

/** Reads a model of JSON; throws as `checkHead` does. */
export function readJson(bytes: Uint8Array, file: string): Model {
  const { forest, ...rest } = JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>;
  const head = checkHead(rest, VERSION, file);
  if (!Array.isArray(forest)) throw new RangeError("forest: it is no list");
  const trees = forest.map(checkTree);
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

type JsonTree = {
  readonly column: readonly number[];
  readonly missing: string;
  readonly value: readonly number[];
  readonly left: readonly number[];
};

/** Says that four lists describe as many nodes; where these lead is for the reader of all models to check. */
function checkTree(tree: Readonly<Record<string, unknown>> | null, number: number): JsonTree {
  const column = checkNumbers(tree?.["column"], `column of tree ${number}`, Number.isInteger);
  const value = checkNumbers(tree?.["value"], `value of tree ${number}`, Number.isFinite);
  const left = checkNumbers(tree?.["left"], `left of tree ${number}`, Number.isInteger);
  const missing = tree?.["missing"];
  if (typeof missing !== "string") throw new RangeError(`missing of tree ${number}: it is no text`);
  for (const [name, { length }] of Object.entries({ value, left, missing })) {
    if (length === column.length) continue;
    throw new RangeError(`${name} of tree ${number}: it has ${length} entries for ${column.length} nodes`);
  }
  column.forEach((feature, node) => {
    const fine = feature < 0 ? feature === -1 && missing[node] === "." : "LR".includes(missing[node] as string);
    if (!fine || feature >= MISSING_LEFT)
      throw new RangeError(`column and missing of tree ${number} disagree at node ${node}`);
  });
  return { column, missing, value, left };
}

function checkNumbers(list: unknown, field: string, isFine: (value: unknown) => boolean): readonly number[] {
  if (Array.isArray(list) && list.every((value) => isFine(value))) return list as number[];
  throw new RangeError(`${field}: it is no list of ${isFine === Number.isInteger ? "whole " : ""}numbers`);
}
