import type { Child, ElementNode } from "./element.ts";
import { h } from "./element.ts";

/** Small pieces that both pages are made of. */

export type Tone = "calm" | "busy" | "good" | "warn" | "bad";

export const badge = (tone: Tone, text: string): ElementNode => h("span", { class: `badge ${tone}` }, text);

export interface Progress {
  /** What it is the progress of, for screen readers. */
  readonly label: string;
  readonly done: number;
  /** Under way: drawn fainter, beyond what is done. */
  readonly running: number;
  readonly total: number;
  readonly tone?: "good" | "bad" | "calm" | undefined;
}

export function bar({ label, done, running, total, tone }: Progress): ElementNode {
  const percent = (part: number) => `${total > 0 ? Math.min(100, (part / total) * 100) : 0}%`;
  return h("div", {
    class: `bar ${tone ?? ""}`,
    role: "progressbar",
    "aria-label": label,
    "aria-valuemin": 0,
    "aria-valuemax": total,
    "aria-valuenow": done,
    style: { "--done": percent(done), "--reach": percent(done + running) },
  });
}

export const notice = (tone: Tone, title: string, ...body: readonly Child[]): ElementNode =>
  h("div", { class: `notice ${tone}` }, h("strong", null, title), body);

export const empty = (...text: readonly Child[]): ElementNode => h("p", { class: "empty" }, text);

export interface Fact {
  readonly label: string;
  readonly value: string;
}

export const facts = (list: readonly Fact[]): ElementNode =>
  h(
    "dl",
    { class: "facts" },
    list.map(({ label, value }) => h("div", { key: label }, h("dt", null, label), h("dd", null, value))),
  );

export const chips = (texts: readonly string[]): ElementNode =>
  h(
    "ul",
    { class: "chips" },
    texts.map((text) => h("li", { key: text, class: "chip" }, text)),
  );

export interface ButtonOptions {
  readonly kind?: "primary" | "danger" | "quiet" | undefined;
  readonly small?: boolean | undefined;
  /** Why it cannot be pressed now, in words; it is disabled then and says so. */
  readonly blocked?: string | undefined;
  /** A longer name for screen readers, where the text alone says too little. */
  readonly label?: string | undefined;
  readonly key?: string | undefined;
  readonly expanded?: boolean | undefined;
  /** Id of an element that says more about it. */
  readonly describedBy?: string | undefined;
}

export function button(text: string, press: () => void, options: ButtonOptions = {}): ElementNode {
  const { kind, small, blocked, label, key, expanded, describedBy } = options;
  return h(
    "button",
    {
      key: key ?? text,
      type: "button",
      class: `button ${kind ?? ""} ${small ? "small" : ""}`,
      disabled: blocked !== undefined,
      title: blocked,
      "aria-label": label,
      "aria-expanded": expanded === undefined ? undefined : String(expanded),
      "aria-describedby": describedBy,
      // The second click of a double click must not press what has just taken this button's place.
      on: { click: (event) => event.detail < 2 && press() },
    },
    text,
  );
}

const flame = (): ElementNode =>
  h(
    "svg",
    { viewBox: "0 0 24 24", "aria-hidden": "true" },
    h("path", {
      class: "flame",
      d: "M12.6 1.5c.6 3.6-1 5.3-2.9 7.3C7.6 11 5.5 13.1 5.5 16.3 5.5 20 8.4 22.5 12 22.5s6.5-2.5 6.5-6.2c0-2.3-1-4-2.1-5.5-.3 1.4-.9 2.300-1.9 2.9.5-4.1-.2-9.100-1.9-12.2Z",
    }),
    h("path", {
      class: "heart",
      d: "M12 21c-1.9 0-3.2-1.3-3.2-3 0-2.1 1.7-3 2.7-5.1 1.8 1.3 3.7 2.9 3.7 5.1 0 1.7-1.3 3-3.2 3Z",
    }),
  );

/** The bar on top: the name, the page, and how the page stands, spoken when it changes. */
export const topBar = (page: string, status: ElementNode, links: readonly Child[] = []): ElementNode =>
  h(
    "header",
    { class: "top", key: "top" },
    h("a", { class: "skip", href: "#main" }, "Skip to content"),
    h("div", { class: "brand" }, flame(), h("span", null, "Kindling ", h("span", { class: "page" }, page))),
    links.length > 0 && h("nav", { "aria-label": "Pages" }, links),
    h("div", { class: "status", role: "status", key: "status" }, status),
  );
