import type { Value } from "../../../shared/value.ts";
import { html, type Markup } from "./markup.ts";
import { fieldsOf } from "./metrics.ts";
import { bars } from "./table.ts";

/** Features of one table. */
const MOST = 40;

const CAPTIONS: Readonly<Record<string, string>> = {
  impurity: "Impurity: the share of all splits' gain",
  permutation: "Permutation: how much the squared error of the checked days grows when a feature is shuffled",
};

/**
 * A section on how much each feature matters: `importances` holds a number by feature, or such numbers by the way they were
 * measured; `whose` follows the title where there are several series. `undefined` where there are none.
 */
export function importances(
  value: Value,
  id = "importances",
  whose = "",
): { readonly id: string; readonly title: string; readonly content: Markup } | undefined {
  const fields = fieldsOf(value);
  const flat = Object.values(fields).some((entry) => typeof entry === "number");
  const ways = flat ? [["Importance", fields] as const] : Object.entries(fields);
  const tables = ways.flatMap(([way, of]) => {
    const entries = Object.entries(fieldsOf(of))
      .filter((entry): entry is [string, number] => typeof entry[1] === "number")
      .sort(([, a], [, b]) => b - a)
      .slice(0, MOST);
    return entries.length === 0 ? [] : [bars(CAPTIONS[way] ?? titleOf(way), ["Feature", titleOf(way)], entries)];
  });
  if (tables.length === 0) return undefined;
  return { id, title: `What matters${whose}`, content: html`${tables}` };
}

const titleOf = (way: string): string => `${way.charAt(0).toUpperCase()}${way.slice(1)}`;
