import type { ElementNode } from "../ui/element.ts";
import { h } from "../ui/element.ts";
import { formatCount } from "../ui/format.ts";
import { badge, bar, button, chips, empty, facts, notice, topBar } from "../ui/parts.ts";
import { tokenGate } from "../ui/token-gate.ts";
import { backendName } from "../ui/words.ts";
import { doneFacts, headline, jobRows, rerunBlocked, runningRows, stepOf } from "./describe.ts";
import type { JobRow, RunningRow } from "./describe.ts";
import type { JoinActions, JoinModel } from "./model.ts";

/** The whole join page. */
export function joinView(model: JoinModel, actions: JoinActions): readonly ElementNode[] {
  if (model.token === null) {
    const gate = tokenGate({
      title: "You need an invitation",
      explanation:
        "This page lends your device's spare power to a Kindling cluster. Whoever runs the cluster has a join link; open it, or paste it here.",
      problem: model.tokenProblem,
      submit: actions.pasteToken,
    });
    return [topBar("join", badge("calm", "No token")), gate];
  }
  const { tone, word } = headline(model);
  return [
    topBar("join", badge(tone, word)),
    h(
      "main",
      { id: "main", key: "main", class: "join" },
      control(model, actions),
      (model.node !== null || !model.device.secure) &&
        h("div", { class: "stack", key: "own" }, model.node !== null && now(model), device(model)),
      jobs(model, actions),
    ),
  ];
}

function control(model: JoinModel, actions: JoinActions): ElementNode {
  const { tone, sentence, word } = headline(model);
  return h(
    "section",
    { class: "card stack hero", key: "control", "aria-labelledby": "control-title" },
    h("h1", { id: "control-title" }, "Lend this device"),
    tone === "bad" || tone === "warn"
      ? notice(tone, word, h("span", null, sentence))
      : h("p", { key: "sentence", class: "sentence" }, sentence),
    idle(model) ? settings(model, actions) : null,
    h("div", { class: "row", key: "buttons" }, buttons(model, actions)),
    h(
      "p",
      { class: "soft small", key: "warning" },
      "While it works, this tab keeps the processor busy: the device gets warm and its battery drains faster. Pause or stop at any time; closing the tab is fine too. Nothing on the device is read.",
    ),
  );
}

/** Whether no node runs now, so that its settings may change. */
const idle = (model: JoinModel): boolean => stepOf(model) === "idle" || stepOf(model) === "ended";

function buttons(model: JoinModel, actions: JoinActions): readonly ElementNode[] {
  if (model.node?.outdated === true) return [button("Reload", actions.reload, { kind: "primary" })];
  if (idle(model)) return [button("Start", actions.start, { kind: "primary", key: "main" })];
  const leaving = model.node?.phase === "leaving" ? "It is leaving already" : undefined;
  return [
    model.wish === "paused"
      ? button("Resume", actions.resume, { kind: "primary", blocked: leaving, key: "main" })
      : button("Pause", actions.pause, { blocked: leaving, key: "main" }),
    button("Stop", actions.stop, { blocked: leaving }),
  ];
}

function settings(
  { settings: { name, slots, relayOnly }, device: { threads } }: JoinModel,
  actions: JoinActions,
): ElementNode {
  const read = (event: Event): string => (event.currentTarget as HTMLInputElement).value;
  return h(
    "div",
    { class: "settings", key: "settings" },
    h(
      "div",
      { class: "field" },
      h("label", { for: "name" }, "Name of this device"),
      h("input", {
        id: "name",
        class: "input",
        maxlength: 40,
        autocomplete: "off",
        spellcheck: "false",
        value: name,
        on: { input: (event) => actions.setName(read(event)) },
      }),
      h("span", { class: "hint" }, "Everyone in the cluster can see it."),
    ),
    h(
      "div",
      { class: "field" },
      h("label", { for: "slots" }, "Threads to lend"),
      h("input", {
        id: "slots",
        type: "range",
        min: 1,
        max: threads,
        step: 1,
        value: String(slots),
        "aria-valuetext": `${slots} of ${threads}`,
        disabled: threads === 1,
        on: { input: (event) => actions.setSlots(Number(read(event))) },
      }),
      h("span", { class: "hint figures" }, `${slots} of ${formatCount(threads, "thread")}`),
    ),
    h(
      "div",
      { class: "field" },
      h(
        "label",
        { for: "relay-only", class: "row" },
        h("input", {
          id: "relay-only",
          type: "checkbox",
          checked: relayOnly,
          on: { change: (event) => actions.setRelayOnly((event.currentTarget as HTMLInputElement).checked) },
        }),
        "Do not connect to other volunteers",
      ),
      h("span", { class: "hint" }, "Your address stays unknown to them; all data go through the coordinator."),
    ),
  );
}

function now(model: JoinModel): ElementNode {
  const rows = runningRows(model);
  return h(
    "section",
    { class: "card stack", key: "now", "aria-labelledby": "now-title" },
    h("h2", { id: "now-title" }, "Running here now"),
    rows.length === 0
      ? empty("Nothing at the moment.")
      : h("ul", { class: "stack", key: "running" }, rows.map(runningRow)),
    h("h2", { class: "second" }, "Done since you started"),
    facts(doneFacts(model)),
  );
}

const runningRow = ({ key, title, where, soFar, stage }: RunningRow): ElementNode =>
  h(
    "li",
    { key, class: "stack tight" },
    h("div", { class: "row spread" }, h("strong", null, title), h("span", { class: "soft small figures" }, soFar)),
    h("span", { class: "soft small" }, where),
    stage && bar({ label: `Stage of ${title}`, ...stage }),
  );

function jobs(model: JoinModel, actions: JoinActions): ElementNode {
  const { overview, overviewProblem, rerunProblem } = model;
  const rows = jobRows(model);
  const blocked = rerunBlocked(model);
  return h(
    "section",
    { class: "card stack", key: "jobs", "aria-labelledby": "jobs-title" },
    h(
      "div",
      { class: "row spread" },
      h("h2", { id: "jobs-title" }, "Jobs of the cluster"),
      overview && h("span", { class: "soft small" }, formatCount(overview.nodes.length, "node")),
    ),
    overviewProblem !== "" && notice("warn", "The list is not fresh", h("span", null, overviewProblem)),
    rerunProblem !== "" && notice("bad", "The job did not start", h("span", null, rerunProblem)),
    overview === null && overviewProblem === "" && empty("Loading the jobs …"),
    overview !== null && rows.length === 0 && empty("No job has run yet."),
    blocked !== undefined && h("p", { class: "soft small", id: "rerun-blocked", key: "blocked" }, blocked),
    rows.length > 0 &&
      h(
        "ul",
        { class: "list", key: "list" },
        rows.map((row) => jobRow(row, blocked, actions)),
      ),
  );
}

function jobRow(row: JobRow, blocked: string | undefined, actions: JoinActions): ElementNode {
  const { id, name, tone, state, detail, progress, share, ended } = row;
  const barTone = tone === "good" ? "good" : tone === "busy" ? undefined : "bad";
  return h(
    "li",
    { key: id, class: "stack tight" },
    h("div", { class: "row" }, h("strong", null, name), badge(tone, state)),
    progress.total > 0 && bar({ label: `Progress of ${name}`, tone: barTone, ...progress }),
    h("span", { key: "detail", class: "soft small figures" }, detail),
    h(
      "div",
      { key: "share", class: "row spread" },
      h(
        "span",
        { class: share === "" ? "soft small" : "share small figures" },
        share === "" ? "Not on this device" : share,
      ),
      ended &&
        button("Run again", () => actions.rerun(id), {
          small: true,
          blocked,
          label: `Run ${name} again`,
          describedBy: blocked === undefined ? undefined : "rerun-blocked",
        }),
    ),
  );
}

function device({ node, device: { secure } }: JoinModel): ElementNode {
  return h(
    "section",
    { class: "card stack", key: "device", "aria-labelledby": "device-title" },
    h("h2", { id: "device-title" }, "What this device can do"),
    node === null || node.backends.length === 0
      ? h("p", { class: "soft", key: "unknown" }, "Found out when you start.")
      : h(
          "div",
          { class: "stack tight", key: "backends" },
          h("span", { class: "soft small" }, "Computes with"),
          chips(node.backends.map(backendName)),
        ),
    node !== null &&
      node.lacks.length > 0 &&
      h(
        "div",
        { class: "stack tight", key: "lacks" },
        h("span", { class: "soft small" }, "Does without"),
        h(
          "ul",
          { class: "bullets small" },
          node.lacks.map((lack) => h("li", { key: lack }, lack)),
        ),
      ),
    !secure &&
      notice(
        "calm",
        "This page came over plain http",
        h(
          "span",
          { class: "small" },
          "On such a page browsers withhold the graphics processor, the file cache, their own hashing and the wake lock. The device takes part all the same, a little slower; an https link to the cluster brings the rest.",
        ),
      ),
  );
}
