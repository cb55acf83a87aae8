import { html, type Markup } from "./markup.ts";
import { fieldsOf } from "./metrics.ts";
import { show } from "./numbers.ts";
import type { ReportedJob } from "./reported-job.ts";
import { bars, table } from "./table.ts";

/** Stages of one table: a job with many series has many. */
const MOST = 100;

/** Times per stage, tasks per node, the parameters and the result's files. */
export function runSection({ stages, shares, params, artifacts, unit }: ReportedJob): Markup {
  const shown = stages.slice(0, MOST);
  const rest = stages.length > MOST ? ` (the first ${MOST} of ${stages.length})` : "";
  return html`<h3>Stages</h3>
${bars(
  `Time of each stage${rest}`,
  ["Stage", "Seconds"],
  shown.map(({ label, seconds }) => [label, seconds]),
)}
<details><summary>More about the stages</summary>${table(
    `Stages${rest}`,
    ["Stage", "Kind", "Tasks", "Retried", `Work (${unit})`, "Backends"],
    shown.map(({ label, kind, tasks, retries, units, backends }) => [
      label,
      kind,
      show(tasks),
      show(retries),
      show(units),
      Object.entries(backends)
        .map(([backend, count]) => `${backend} ${count}`)
        .join(", "),
    ]),
  )}</details>
<h3>Nodes</h3>
${bars(
  "Tasks that each node finished",
  ["Node", "Tasks"],
  shares.map(({ name, tasks }) => [name, tasks]),
)}
<h3>Parameters</h3>
${table(
  "Parameters that were given",
  ["Parameter", "Value"],
  Object.entries(fieldsOf(params)).map(([name, value]) => [name, String(value)]),
)}
<h3>Files</h3>
${table(
  "Files of the result",
  ["File", "Bytes", "SHA-256"],
  artifacts.map(({ name, bytes, sha256 }) => [name, show(bytes), html`<code>${sha256}</code>`]),
)}`;
}
