import type { ElementNode } from "../ui/element.ts";
import { h } from "../ui/element.ts";
import { badge, chips } from "../ui/parts.ts";
import type { NodeRow } from "./describe.ts";

/** One node. Its slots are drawn one by one as long as they can be told apart. */
export function nodeView({ id, name, kind, tone, state, slots, done, since, backends, lacks }: NodeRow): ElementNode {
  return h(
    "li",
    { key: id, class: "stack tight node" },
    h("div", { class: "row spread" }, h("strong", null, name), badge(tone, state)),
    h(
      "div",
      { class: "row small soft figures" },
      slotDots(slots),
      h("span", null, slots.text),
      h("span", null, `${done} done`),
    ),
    h("p", { class: "small soft" }, `${kind} · joined ${since}`),
    backends.length > 0 && chips(backends),
    lacks.length > 0 &&
      h(
        "details",
        { key: "lacks", class: "small soft" },
        h("summary", null, `Does without ${lacks.length === 1 ? "one thing" : `${lacks.length} things`}`),
        h(
          "ul",
          { class: "bullets" },
          lacks.map((lack) => h("li", { key: lack }, lack)),
        ),
      ),
  );
}

/** More slots than this are told by the number alone. */
const DOTS = 16;

function slotDots({ busy, all }: NodeRow["slots"]): ElementNode | null {
  if (all > DOTS || all === 0) return null;
  const dots = Array.from({ length: all }, (_, slot) => h("i", { class: slot < busy ? "busy" : "" }));
  return h("span", { class: "slots", "aria-hidden": "true" }, dots);
}
