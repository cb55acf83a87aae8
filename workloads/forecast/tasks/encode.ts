import { defineTask } from "kindling";
import type { Prepared } from "../data/prepared.ts";
import { type Forest, LEAF, MISSING_LEFT, type Tree } from "../forest/forest.ts";
import { type HeadInput, modelHead } from "../model-file/head.ts";

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

/** The beginning of `model.json`: all that is needed to use its trees. README.md says what each field means. */
export const encodeHead = defineTask<HeadInput, string, Prepared>({
  js: (input, { broadcast }) => `${JSON.stringify(modelHead(input, broadcast)).slice(0, -1)},"forest":[\n`,
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
