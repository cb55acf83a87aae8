import type { LogLine } from "../../shared/protocol/api.ts";
import type { ElementNode } from "../ui/element.ts";
import { h } from "../ui/element.ts";
import { empty, notice } from "../ui/parts.ts";
import type { OpenLog } from "./model.ts";

/** Lines shown; a long log's beginning is left to `kindling logs`. */
const SHOWN = 500;

/** A job's log, which follows its end as long as the reader is there. */
export function logView({ job, lines, loaded, problem }: OpenLog): ElementNode {
  const shown = lines.slice(-SHOWN);
  return h(
    "div",
    { class: "stack tight log", key: "view" },
    problem !== "" && notice("warn", "The log is not fresh", h("span", null, problem)),
    !loaded && problem === "" && empty("Loading the log …"),
    loaded && lines.length === 0 && empty("Nothing was logged."),
    lines.length > SHOWN && h("p", { class: "small soft", key: "more" }, `The last ${SHOWN} of ${lines.length} lines.`),
    shown.length > 0 &&
      h(
        "ol",
        {
          key: "lines",
          class: "lines",
          tabindex: 0,
          "aria-label": `Log of job ${job}`,
          on: { scroll: remember },
          after: follow,
        },
        shown.map(line),
      ),
  );
}

const line = ({ sequence, at, level, message }: LogLine): ElementNode =>
  h(
    "li",
    { key: String(sequence), class: level },
    h("time", { class: "soft", datetime: new Date(at).toISOString() }, clockTime(at)),
    level !== "info" && h("strong", { key: "level" }, level === "warn" ? "Warning: " : "Error: "),
    h("span", { key: "message" }, message),
  );

/** `14:03:07.250`, in the reader's time zone. */
function clockTime(at: number): string {
  const date = new Date(at);
  const pad = (value: number, digits = 2) => String(value).padStart(digits, "0");
  return `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}.${pad(date.getMilliseconds(), 3)}`;
}

/** Logs whose reader has scrolled up: they stay where they are. */
const left = new WeakSet<Element>();

function remember(event: Event): void {
  const list = event.currentTarget;
  if (!(list instanceof Element)) return;
  if (list.scrollTop + list.clientHeight < list.scrollHeight - 8) left.add(list);
  else left.delete(list);
}

function follow(list: Element): void {
  if (!left.has(list)) list.scrollTop = list.scrollHeight;
}
