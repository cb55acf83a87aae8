import { type Content, html, type Markup } from "./markup.ts";
import { percent } from "./chart.ts";
import { show } from "./numbers.ts";

/** A table whose first column names its rows. Numbers should come as text, ready to read. */
export function table(caption: string, columns: readonly string[], rows: readonly (readonly Content[])[]): Markup {
  // Wide tables scroll by themselves, and with the keyboard too.
  return html`<div class="scroll" role="region" tabindex="0" aria-label="${caption}"><table>
<caption>${caption}</caption>
<thead><tr>${columns.map((column) => html`<th scope="col">${column}</th>`)}</tr></thead>
<tbody>
${rows.map(
  ([first, ...rest]) => html`<tr><th scope="row">${first}</th>${rest.map((cell) => html`<td>${cell}</td>`)}</tr>
`,
)}</tbody>
</table></div>`;
}

/** The same data for those who cannot use the drawing above. */
export const alternative = (content: Markup): Markup =>
  html`<details><summary>The data as a table</summary>${content}</details>`;

/** Bars with their names and values: a table, so that it can be read without seeing them. */
export function bars(
  caption: string,
  columns: readonly [string, string],
  entries: readonly (readonly [name: string, value: number])[],
): Markup {
  const largest = entries.reduce((most, [, value]) => Math.max(most, value), 0);
  const width = (value: number): string => percent(largest > 0 ? Math.max(0, value) / largest : 0);
  return table(
    caption,
    columns,
    entries.map(([name, value]) => [
      name,
      html`<span class="bar" aria-hidden="true"><span style="width:${width(value)}"></span></span><span class="value">${show(value)}</span>`,
    ]),
  );
}
