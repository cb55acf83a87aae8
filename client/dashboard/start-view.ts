import type { ElementNode } from "../ui/element.ts";
import { h } from "../ui/element.ts";
import { button, empty, notice } from "../ui/parts.ts";
import { humanize } from "../ui/words.ts";
import type { Field } from "./form.ts";
import { fieldsOf } from "./form.ts";
import type { DashboardActions, DashboardModel, Draft } from "./model.ts";

/** The form that starts a job; its fields follow from the chosen workload's parameters. */
export function startView(model: DashboardModel, actions: DashboardActions): ElementNode {
  const { workloads, workloadsProblem } = model;
  return h(
    "section",
    { class: "card stack", key: "start", "aria-labelledby": "start-title" },
    h("h2", { id: "start-title" }, "Start a job"),
    workloadsProblem !== "" && notice("warn", "The workloads could not be read", h("span", null, workloadsProblem)),
    workloadsProblem !== "" && h("div", { key: "retry" }, button("Try again", actions.loadWorkloads, { small: true })),
    workloads === null && workloadsProblem === "" && empty("Loading the workloads …"),
    workloads !== null && workloads.length === 0 && empty("This coordinator has no built-in workload."),
    workloads !== null && workloads.length > 0 && form(model, actions),
  );
}

function form({ workloads, draft }: DashboardModel, actions: DashboardActions): ElementNode {
  const workload = workloads?.find(({ name }) => name === draft.workload);
  const fields = workload === undefined ? [] : fieldsOf(workload.params);
  const first = fields.filter(inFront);
  const others = fields.filter((field) => !inFront(field));
  const view = (field: Field) => fieldView(field, draft, actions);
  return h(
    "form",
    {
      class: "stack",
      novalidate: true,
      on: {
        submit: (event) => {
          event.preventDefault();
          actions.submit();
        },
      },
    },
    h(
      "div",
      { class: "field", key: "workload" },
      h("label", { for: "workload" }, "Workload"),
      h(
        "select",
        {
          id: "workload",
          class: "input",
          value: draft.workload ?? "",
          on: { change: (event) => actions.chooseWorkload((event.currentTarget as HTMLSelectElement).value) },
        },
        workloads?.map(({ name }) => h("option", { key: name, value: name }, name)),
      ),
      workload !== undefined && workload.description !== "" && h("span", { class: "hint" }, workload.description),
    ),
    h("div", { class: "stack", key: `first ${draft.workload}` }, first.map(view)),
    others.length > 0 &&
      h(
        "details",
        { key: `others ${draft.workload}`, class: "others" },
        h("summary", null, `More parameters (${others.length})`),
        h("div", { class: "stack" }, others.map(view)),
      ),
    draft.refusal !== "" &&
      h("div", { role: "alert", key: "refusal" }, notice("bad", "Not started", h("span", null, draft.refusal))),
    h(
      "div",
      { class: "row", key: "send" },
      h(
        "button",
        { type: "submit", class: "button primary", disabled: draft.submitting || draft.uploading !== null },
        draft.submitting ? "Starting …" : draft.uploading !== null ? "Uploading …" : "Start",
      ),
    ),
  );
}

/** Files, large amounts and what has no default come first; the rest waits behind a fold. */
const inFront = ({ type, required, initial }: Field): boolean =>
  required || type.kind === "file" || (type.kind === "number" && initial.includes(","));

function fieldView(field: Field, draft: Draft, actions: DashboardActions): ElementNode {
  const { name, description, required, initial } = field;
  const problem = draft.problems[name] ?? "";
  const id = `field-${name}`;
  const control = controlOf(field, draft.answers[name] ?? initial, actions, {
    id,
    required,
    "aria-invalid": problem === "" ? undefined : "true",
    "aria-describedby": `${id}-hint ${id}-problem`,
  });
  return h(
    "div",
    { class: "field", key: name },
    h("label", { for: id }, humanize(name), required && h("span", { class: "soft" }, " (needed)")),
    control,
    field.type.kind === "file" && uploadView(field, draft, actions),
    h("span", { class: "hint", id: `${id}-hint` }, hintOf(field, description)),
    h("span", { class: "problem", id: `${id}-problem`, role: "alert" }, problem),
  );
}

function hintOf({ type, initial }: Field, description: string): string {
  const standard = type.kind === "number" && initial !== "" ? `Default ${initial}.` : "";
  const place = type.kind === "file" ? "A path under the coordinator's data root, or an upload." : "";
  return [sentence(description), place, standard].filter(Boolean).join(" ");
}

const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1).replace(/([^.])$/, "$1.");

type ControlProps = Readonly<Record<string, string | boolean | undefined>>;

function controlOf(
  { name, type, initial }: Field,
  value: string,
  actions: DashboardActions,
  props: ControlProps,
): ElementNode {
  const read = (event: Event): void => actions.answer(name, (event.currentTarget as HTMLInputElement).value);
  const common = { ...props, class: "input" };
  switch (type.kind) {
    case "flag": {
      const set = (event: Event): void =>
        actions.answer(name, String((event.currentTarget as HTMLInputElement).checked));
      return h("input", { ...props, type: "checkbox", checked: value === "true", on: { change: set } });
    }
    case "choice":
      return h(
        "select",
        { ...common, value, on: { change: read } },
        initial === "" && h("option", { key: "none", value: "" }, "–"),
        type.options.map((option) => h("option", { key: `option ${option}`, value: option }, option)),
      );
    case "json":
      return h("textarea", { ...common, rows: 3, spellcheck: "false", value, on: { input: read } });
    case "number":
      return h("input", {
        ...common,
        inputmode: type.whole ? "numeric" : "decimal",
        autocomplete: "off",
        value,
        on: { input: read },
      });
    case "text":
    case "mixed":
    case "file":
      return h("input", { ...common, autocomplete: "off", spellcheck: "false", value, on: { input: read } });
  }
}

function uploadView({ name }: Field, { uploading }: Draft, actions: DashboardActions): ElementNode {
  return h("input", {
    type: "file",
    "aria-label": `Upload a file for ${humanize(name)}`,
    disabled: uploading !== null,
    on: {
      change: (event) => {
        const [file] = (event.currentTarget as HTMLInputElement).files ?? [];
        if (file !== undefined) actions.upload(name, file);
      },
    },
  });
}
