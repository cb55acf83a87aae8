import { InputError } from "kindling";
import { LEAF, MISSING_LEFT } from "../forest/forest.ts";
import type { Model } from "./head.ts";
import { readJson } from "./read-json.ts";
import { readOnnx } from "./read-onnx.ts";

/** Reads a model that this project wrote, as JSON or ONNX, which its first byte tells apart. Throws an InputError. */
export function readModel(bytes: Uint8Array, file: string): Model {
  try {
    const model = bytes[0] === 0x7b ? readJson(bytes, file) : readOnnx(bytes, file);
    checkNodes(model);
    return model;
  } catch (error) {
    if (error instanceof InputError) throw error;
    const what = error instanceof Error ? error.message : String(error);
    throw new InputError(`${file}: the model is damaged: ${what}; write it again with --model-out`, { cause: error });
  }
}

/** Whether every way down a tree ends in a leaf that can be summed. */
function checkNodes({ head, forest: { column, value, left, sizes } }: Model): void {
  let root = 0;
  for (const [tree, size] of sizes.entries()) {
    if (size === 0) throw new RangeError(`tree ${tree} has no node`);
    for (let node = root; node < root + size; node++) {
      const isLeaf = column[node] === LEAF;
      const child = left[node] as number;
      const leads = isLeaf
        ? child === 0
        : child > node - root && child + 1 < size && ((column[node] as number) & ~MISSING_LEFT) < head.features.length;
      if (!leads) throw new RangeError(`a node of tree ${tree} leads nowhere`);
      const counts = isLeaf ? Number.isSafeInteger(value[node]) : Number.isFinite(value[node]);
      if (!counts) throw new RangeError(`a node of tree ${tree} has a value that is none`);
    }
    root += size;
  }
  if (root !== column.length || sizes.length !== head.trees) throw new RangeError("it has not all of its trees");
}
