import type { ElementNode } from "../ui/element.ts";
import { h } from "../ui/element.ts";
import { formatBytes } from "../ui/format.ts";
import { badge, bar, button, facts, notice } from "../ui/parts.ts";
import type { JobCard, ShareRow, StageRow, TopRow } from "./describe.ts";
import { logView } from "./log-view.ts";
import type { DashboardActions, DashboardModel } from "./model.ts";

/** One job: a line that tells how it stands and, unfolded, everything about it. */
export function jobView(card: JobCard, model: DashboardModel, actions: DashboardActions): ElementNode {
  const { id, title, tone, state, open, progress, running } = card;
  const problem = model.jobProblems[id] ?? "";
  const barTone = state === "Succeeded" ? "good" : running ? undefined : "bad";
  return h(
    "li",
    { key: id },
    h(
      "article",
      { class: "card stack job", "aria-labelledby": `job-${id}` },
      h(
        "div",
        { class: "row spread" },
        h(
          "div",
          { class: "row" },
          h(
            "h3",
            { id: `job-${id}` },
            h(
              "button",
              {
                type: "button",
                class: "unfold",
                "aria-expanded": String(open),
                on: { click: () => actions.toggle(id, !open) },
              },
              title,
            ),
          ),
          badge(tone, state),
          h("span", { class: "soft small mono" }, id),
        ),
        h("div", { class: "row" }, jobButtons(card, model, actions)),
      ),
      bar({ label: `Progress of ${title} ${id}`, tone: barTone, ...progress }),
      h(
        "p",
        { class: "row small figures", key: "summary" },
        h("strong", null, card.percent),
        h("span", null, card.duration),
        card.rate !== "" && h("span", { class: "rate" }, card.rate),
        card.retries !== "" && h("span", null, `${card.retries} retried`),
        h("time", { class: "soft", datetime: card.startedAt }, card.ago),
      ),
      problem !== "" && notice("bad", "That did not work", h("span", null, problem)),
      card.error !== "" && notice("bad", "Why it failed", h("span", { class: "error" }, card.error)),
      open && details(card, model, actions),
    ),
  );
}

function jobButtons(
  { id, title, running }: JobCard,
  model: DashboardModel,
  actions: DashboardActions,
): readonly ElementNode[] {
  const blocked = model.busy[id] === true ? "A request is under way" : undefined;
  if (!running) {
    return [button("Run again", () => actions.rerun(id), { small: true, blocked, label: `Run ${title} ${id} again` })];
  }
  if (model.confirming !== id) {
    return [
      button("Cancel", () => actions.askCancel(id), {
        small: true,
        blocked,
        label: `Cancel ${title} ${id}`,
        key: "ask",
      }),
    ];
  }
  return [
    h("span", { class: "small", role: "alert", key: "sure" }, "Throw its work away?"),
    button("Cancel the job", () => actions.cancel(id), { small: true, kind: "danger" }),
    button("Keep it", () => actions.askCancel(null), { small: true, key: "ask" }),
  ];
}

function details(card: JobCard, model: DashboardModel, actions: DashboardActions): ElementNode {
  const { id, metrics, top, shares, stages, artifacts, params, spark } = card;
  const logOpen = model.log?.job === id ? model.log : null;
  return h(
    "div",
    { class: "stack details", key: "details" },
    stages.length === 0
      ? h("p", { class: "soft small", key: "planning" }, noStage(card))
      : part("Stages", h("ol", { class: "stack" }, stages.map(stageView))),
    h(
      "div",
      { class: "halves", key: "halves" },
      metrics.length > 0 && part("Result", facts(metrics.map(({ name, value }) => ({ label: name, value })))),
      top.length > 0 && part("Top keys", topView(top)),
      shares.length > 0 &&
        part(
          "Shares",
          h(
            "ul",
            { class: "stack tight" },
            shares.map((share) => shareView(share, card.shareTotal)),
          ),
        ),
      artifacts.length > 0 &&
        part(
          "Files",
          h(
            "ul",
            { class: "stack tight" },
            artifacts.map(({ name, bytes, sha256 }) =>
              h(
                "li",
                { key: name, class: "file" },
                button(name, () => actions.download(id, name), { small: true, label: `Download ${name}` }),
                h("span", { class: "soft small" }, formatBytes(bytes)),
                h("span", { class: "soft hash mono", title: `SHA-256 ${sha256}` }, `SHA-256 ${sha256.slice(0, 12)}…`),
              ),
            ),
          ),
        ),
    ),
    spark !== null && part("Runs on", sparkView(spark)),
    params !== "" && part("Parameters", h("p", { class: "small soft" }, params)),
    h(
      "div",
      { key: "log" },
      button("Log", () => actions.toggleLog(id), {
        small: true,
        expanded: logOpen !== null,
        label: `Log of ${title(card)}`,
      }),
      logOpen !== null && logView(logOpen),
    ),
  );
}

function noStage({ running, spark }: JobCard): string {
  if (!running) return "It had no stage.";
  return spark?.starting === true ? "No stage yet: Spark is starting." : "No stage yet: it is being planned.";
}

const title = ({ title, id }: JobCard): string => `${title} ${id}`;

const part = (name: string, content: ElementNode): ElementNode =>
  h("div", { class: "stack tight part", key: name }, h("h4", null, name), content);

const stageView = ({ key, title, tasks, figures, how, progress, tone }: StageRow): ElementNode =>
  h(
    "li",
    { key, class: "stack tight" },
    h("div", { class: "row spread small" }, h("span", null, title), h("span", { class: "soft figures" }, tasks)),
    bar({ label: `Progress of ${title}`, tone, ...progress }),
    figures !== "" && h("p", { class: "small figures", key: "figures" }, figures),
    how !== "" && h("p", { class: "small soft", key: "how" }, how),
  );

const sparkView = ({ text, page }: NonNullable<JobCard["spark"]>): ElementNode =>
  h(
    "p",
    { class: "row small soft" },
    h("span", null, text),
    page !== null && h("a", { href: page, target: "_blank", rel: "noreferrer" }, "Spark’s own page"),
  );

const shareView = ({ key, name, tasks, text }: ShareRow, total: number): ElementNode =>
  h(
    "li",
    { key, class: "stack tight" },
    h("div", { class: "row spread small" }, h("span", null, name), h("span", { class: "soft figures" }, text)),
    bar({ label: `Share of ${name}`, tone: "calm", done: tasks, running: 0, total }),
  );

const topView = (rows: readonly TopRow[]): ElementNode =>
  h(
    "table",
    { class: "top-keys" },
    h(
      "thead",
      null,
      h("tr", null, h("th", { scope: "col" }, "Key"), h("th", { scope: "col", class: "number" }, "Sum")),
    ),
    h(
      "tbody",
      null,
      rows.map(({ key, name, text }) =>
        h("tr", { key }, h("td", { class: "mono" }, name), h("td", { class: "number figures" }, text)),
      ),
    ),
  );
