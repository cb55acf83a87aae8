import { defineTask } from "kindling";
import type { Prepared } from "../data/prepared.ts";
import { type Forest, type ForestOptions, LEAF, MISSING_LEFT, type Tree, UNLIMITED } from "../forest/forest.ts";

/** A part of `model.json`: text that follows the part before it. */
export const encodeTrees = defineTask<Forest, string, Prepared>({
  js(forest) {
    const texts: string[] = [];
    let at = 0;
    forest.sizes.forEach((size, index) => {
      const end = at + size;
      const tree = {
        column: forest.column.subarray(at, end),
        value: forest.value.subarray(at, end),
        left: forest.left.subarray(at, end),
      };
      texts.push(`${forest.first + index === 0 ? "" : ",\n"}${encodeTree(tree)}`);
      at = end;
    });
    return texts.join("");
  },
});

export type HeadInput = { readonly trees: number; readonly options: ForestOptions };

/** The beginning of `model.json`: all that is needed to use its trees. README.md says what each field means. */
export const encodeHead = defineTask<HeadInput, string, Prepared>({
  js({ trees, options }, { broadcast: { training, ...prepared } }) {
    const head = {
      format: "kindling-forest",
      version: 1,
      model: "rf",
      target: prepared.target,
      features: prepared.features,
      cleaning: prepared.ranges,
      trained: { rows: training.rows, from: prepared.trainedFrom, to: prepared.trainedTo },
      options: { ...options, maxDepth: options.maxDepth === UNLIMITED ? null : options.maxDepth },
      base: training.base,
      scale: training.scale,
      trees,
    };
    return `${JSON.stringify(head).slice(0, -1)},"forest":[\n`;
  },
});

/** The end of `model.json`. */
export const encodeFoot = defineTask<null, string, Prepared>({ js: () => "\n]}\n" });

function encodeTree({ column, value, left }: Tree): string {
  const columns: number[] = [];
  let missing = "";
  for (const code of column) {
    columns.push(code === LEAF ? -1 : code & ~MISSING_LEFT);
    missing += code === LEAF ? "." : code >= MISSING_LEFT ? "L" : "R";
  }
  return `{"column":[${columns.join()}],"missing":"${missing}","value":[${value.join()}],"left":[${left.join()}]}`;
}
