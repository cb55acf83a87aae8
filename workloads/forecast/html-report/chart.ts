import type { Markup } from "./markup.ts";
import { type Content, html } from "./markup.ts";
import { coordinate, show } from "./numbers.ts";
import { type Extent, type Tick, ticks } from "./scale.ts";

/**
 * Drawings are stretched to the page's width, lines and dots keeping their thickness; so the labels of the axes are HTML
 * beside them, in percent, and keep their size on a telephone.
 */
export const WIDTH = 1000;
export const HEIGHT = 300;

export type Axes = { readonly x: Extent; readonly y: Extent };

export const placeX = ({ x }: Axes, value: number): number => ((value - x.low) / (x.high - x.low)) * WIDTH;
export const placeY = ({ y }: Axes, value: number): number => HEIGHT - ((value - y.low) / (y.high - y.low)) * HEIGHT;

/** Dots as strokes without length: round in a stretched drawing too. */
export function dots(axes: Axes, points: readonly { readonly x: number; readonly y: number }[], kind: string): Markup {
  const path = points.map(({ x, y }) => `M${coordinate(placeX(axes, x))} ${coordinate(placeY(axes, y))}h0`).join("");
  return html`<path class="${kind}" d="${path}"/>`;
}

/** A line; a null value is a gap in it. */
export function line(
  axes: Axes,
  points: readonly { readonly x: number; readonly y: number | null }[],
  kind: string,
): Markup {
  let path = "";
  let pen = "M";
  for (const { x, y } of points) {
    if (y === null) {
      pen = "M";
      continue;
    }
    path += `${pen}${coordinate(placeX(axes, x))} ${coordinate(placeY(axes, y))}`;
    pen = "L";
  }
  return html`<path class="${kind}" d="${path}"/>`;
}

/** The area between two lines. */
export function band(
  axes: Axes,
  points: readonly { readonly x: number; readonly low: number; readonly high: number }[],
): Markup {
  const corner = (x: number, y: number): string => `${coordinate(placeX(axes, x))} ${coordinate(placeY(axes, y))}`;
  const above = points.map(({ x, high }) => corner(x, high));
  const below = points.toReversed().map(({ x, low }) => corner(x, low));
  return html`<path class="band" d="M${[...above, ...below].join("L")}Z"/>`;
}

export type ChartText = {
  /** Unique in the page. */
  readonly id: string;
  readonly title: string;
  /** What a reader who cannot see it should know. */
  readonly summary: string;
  readonly yLabel: string;
  readonly xLabel?: string;
};

/** A drawing with its axes. `xTicks` are where labels stand below. */
export function chart(text: ChartText, axes: Axes, xTicks: readonly Tick[], content: Content): Markup {
  const yTicks = ticks(axes.y, 5);
  const grid = [
    ...yTicks.map((at) => `M0 ${coordinate(placeY(axes, at))}H${WIDTH}`),
    ...xTicks.map(({ at }) => `M${coordinate(placeX(axes, at))} 0V${HEIGHT}`),
  ].join("");
  return html`<div class="chart">
<p class="axis-title" aria-hidden="true">${text.yLabel}</p>
<div class="y-axis" aria-hidden="true">${yTicks.map((at) => html`<span style="top:${percent(placeY(axes, at) / HEIGHT)}">${show(at)}</span>`)}</div>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-labelledby="${text.id}-title ${text.id}-summary">
<title id="${text.id}-title">${text.title}</title>
<desc id="${text.id}-summary">${text.summary}</desc>
<path class="grid" d="${grid}"/>
${content}
<path class="frame" d="M0 0V${HEIGHT}H${WIDTH}"/>
</svg>
<div class="x-axis" aria-hidden="true">${xTicks.map(({ at, label }, index) => html`<span class="${index % 2 === 0 ? "major" : "minor"}" style="left:${percent(placeX(axes, at) / WIDTH)}">${label}</span>`)}</div>
${text.xLabel === undefined ? null : html`<p class="axis-title under" aria-hidden="true">${text.xLabel}</p>`}
</div>`;
}

export const numberTicks = (extent: Extent, count: number): Tick[] =>
  ticks(extent, count).map((at) => ({ at, label: show(at) }));

/** What the kinds of marks mean. */
export const legend = (...entries: readonly (readonly [kind: string, text: string])[]): Markup =>
  html`<ul class="legend">${entries.map(([kind, text]) => html`<li><svg viewBox="0 0 24 12" aria-hidden="true"><path class="${kind}" d="${kind === "band" ? "M0 1H24V11H0Z" : kind.startsWith("dot") ? "M12 6h0" : "M0 6H24"}"/></svg>${text}</li>`)}</ul>`;

export const percent = (share: number): string => `${coordinate(share * 100)}%`;
