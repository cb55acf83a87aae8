import type { ElementNode } from "../ui/element.ts";
import { h } from "../ui/element.ts";
import type { Series } from "./throughput.ts";

const WIDTH = 600;
const HEIGHT = 80;

/** A line with a filled foot; stretched to the width of its place. `label` says in words what it shows. */
export function sparkline({ points }: Series, label: string): ElementNode {
  const place = ([x, y]: readonly [number, number]): string =>
    `${(x * WIDTH).toFixed(1)} ${(HEIGHT - 3 - y * (HEIGHT - 8)).toFixed(1)}`;
  const first = points[0]?.[0] ?? 0;
  const last = points.at(-1)?.[0] ?? 0;
  const line = points.map(place).join(" L ");
  const foot = (x: number): string => `${(x * WIDTH).toFixed(1)} ${HEIGHT}`;
  return h(
    "svg",
    {
      class: "sparkline",
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      preserveAspectRatio: "none",
      role: "img",
      "aria-label": label,
    },
    points.length > 0 && h("path", { class: "area", d: `M ${foot(first)} L ${line} L ${foot(last)} Z` }),
    points.length > 0 && h("path", { class: "line", d: `M ${line}` }),
  );
}
