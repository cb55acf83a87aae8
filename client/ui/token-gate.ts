import type { ElementNode } from "./element.ts";
import { h } from "./element.ts";

export interface TokenGate {
  readonly title: string;
  readonly explanation: string;
  /** What was wrong with the last try; empty at first. */
  readonly problem: string;
  readonly submit: (text: string) => void;
}

/** Asks for the link where a page has no token, or one that is not accepted. */
export function tokenGate({ title, explanation, problem, submit }: TokenGate): ElementNode {
  return h(
    "main",
    { id: "main", key: "gate" },
    h(
      "form",
      {
        class: "card gate stack",
        on: {
          submit: (event) => {
            event.preventDefault();
            const input = (event.currentTarget as HTMLFormElement).elements.namedItem("pasted");
            if (input instanceof HTMLInputElement) submit(input.value);
          },
        },
      },
      h("h1", null, title),
      h("p", { class: "soft" }, explanation),
      h(
        "div",
        { class: "field" },
        h("label", { for: "pasted" }, "Link or token"),
        h("input", {
          id: "pasted",
          name: "pasted",
          class: "input mono",
          type: "text",
          autocomplete: "off",
          spellcheck: "false",
          "aria-invalid": problem === "" ? undefined : "true",
          "aria-describedby": "pasted-problem",
        }),
        h("p", { id: "pasted-problem", class: "problem", role: "alert" }, problem),
      ),
      h("div", { class: "row" }, h("button", { class: "button primary", type: "submit" }, "Continue")),
    ),
  );
}
