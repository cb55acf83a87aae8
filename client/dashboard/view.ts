import type { Overview } from "../../shared/protocol/api.ts";
import type { ElementNode } from "../ui/element.ts";
import { h } from "../ui/element.ts";
import { formatCount, formatDuration, formatRate } from "../ui/format.ts";
import type { Tone } from "../ui/parts.ts";
import { badge, button, empty, notice, topBar } from "../ui/parts.ts";
import { tokenGate } from "../ui/token-gate.ts";
import { jobCards, nodeRows } from "./describe.ts";
import { jobView } from "./job-view.ts";
import type { Connection, DashboardActions, DashboardModel } from "./model.ts";
import { nodeView } from "./node-view.ts";
import { sparkline } from "./sparkline.ts";
import { startView } from "./start-view.ts";
import { seriesOf } from "./throughput.ts";

const CONNECTION: Readonly<Record<Connection["kind"], readonly [Tone, string]>> = {
  loading: ["calm", "Connecting"],
  live: ["good", "Live"],
  lost: ["bad", "No connection"],
};

/** The whole dashboard. */
export function dashboardView(
  model: DashboardModel,
  actions: DashboardActions,
  origin: string,
): readonly ElementNode[] {
  if (model.token === null) {
    const gate = tokenGate({
      title: "The dashboard needs its token",
      explanation:
        "The coordinator prints a dashboard link that ends in #token=… when it starts. Open that link, or paste it here.",
      problem: model.tokenProblem,
      submit: actions.pasteToken,
    });
    return [topBar("dashboard", badge("calm", "No token")), gate];
  }
  const { connection, overview, announcement } = model;
  return [
    topBar("dashboard", badge(...CONNECTION[connection.kind])),
    h(
      "main",
      { id: "main", key: "main", class: connection.kind === "lost" ? "dashboard stale" : "dashboard" },
      h("p", { class: "visually-hidden", role: "status", key: "said" }, announcement),
      connection.kind === "lost" && lost(connection.problem, overview, actions),
      overview === null
        ? connection.kind === "loading" &&
            h("div", { key: "loading", class: "wide" }, empty("Asking the coordinator …"))
        : [throughputView(model), jobsView(model, actions), sideView(model, overview, actions, origin)],
    ),
  ];
}

function lost(problem: string, overview: Overview | null, actions: DashboardActions): ElementNode {
  const stale = overview === null ? "" : " What you see is from before.";
  return h(
    "div",
    { class: "wide lost", key: "lost" },
    notice(
      "bad",
      "No connection to the coordinator",
      h("span", null, `${problem}${stale}`),
      h("div", null, button("Try now", actions.retry, { small: true })),
    ),
  );
}

function throughputView({ history, overview }: DashboardModel): ElementNode {
  const series = seriesOf(history, overview?.throughput ?? {});
  const slots = overview?.nodes.reduce((total, node) => total + node.slots, 0) ?? 0;
  const busy = overview?.nodes.reduce((total, node) => total + node.running, 0) ?? 0;
  return h(
    "section",
    { class: "card stack wide throughput", key: "throughput", "aria-labelledby": "throughput-title" },
    h(
      "div",
      { class: "row spread" },
      h("h1", { id: "throughput-title" }, "Cluster"),
      h(
        "span",
        { class: "soft small figures" },
        `${formatCount(overview?.nodes.length ?? 0, "node")} · ${busy} of ${formatCount(slots, "slot")} busy`,
      ),
    ),
    series.length === 0 &&
      h("p", { class: "soft", key: "quiet" }, "Quiet: nothing was computed in the last three minutes."),
    series.map((one) =>
      h(
        "figure",
        { key: one.unit },
        h(
          "figcaption",
          { class: "row spread" },
          h("span", { class: "now figures" }, formatRate(one.now, one.unit)),
          h(
            "span",
            { class: "soft small figures" },
            `peak ${formatRate(one.peak, one.unit)} in ${formatDuration(one.span / 1000)}`,
          ),
        ),
        sparkline(
          one,
          `Throughput of the last ${formatDuration(one.span / 1000)}, at most ${formatRate(one.peak, one.unit)}`,
        ),
      ),
    ),
  );
}

function jobsView(model: DashboardModel, actions: DashboardActions): ElementNode {
  const cards = jobCards(model);
  return h(
    "section",
    { class: "stack", key: "jobs", "aria-labelledby": "jobs-title" },
    h("h2", { id: "jobs-title" }, "Jobs"),
    cards.length === 0
      ? empty("No job yet. Start one with the form, or with ", h("code", null, "kindling run"), ".")
      : h(
          "ul",
          { class: "stack", key: "list" },
          cards.map((card) => jobView(card, model, actions)),
        ),
  );
}

function sideView(model: DashboardModel, overview: Overview, actions: DashboardActions, origin: string): ElementNode {
  const nodes = nodeRows(model);
  return h(
    "div",
    { class: "stack side", key: "side" },
    startView(model, actions),
    h(
      "section",
      { class: "card stack", key: "nodes", "aria-labelledby": "nodes-title" },
      h("h2", { id: "nodes-title" }, "Nodes"),
      nodes.length === 0
        ? empty("No node has joined. Open the join link in a tab, or run ", h("code", null, "kindling node"), ".")
        : h("ul", { class: "list", key: "list" }, nodes.map(nodeView)),
    ),
    inviteView(overview.joinLink, model.copied, actions, origin),
  );
}

/** The link for volunteers. Without one in the overview, the page's plain address and where to find the token. */
function inviteView(
  joinLink: string | undefined,
  copied: boolean,
  actions: DashboardActions,
  origin: string,
): ElementNode {
  const link = joinLink ?? `${origin}/join`;
  return h(
    "section",
    { class: "card stack", key: "invite", "aria-labelledby": "invite-title" },
    h("h2", { id: "invite-title" }, "Invite devices"),
    h("p", { class: "small soft" }, "Whoever opens this link can lend a device to the cluster."),
    h("input", {
      class: "input mono",
      readonly: true,
      value: link,
      "aria-label": "Join link",
      on: { focus: (event) => (event.currentTarget as HTMLInputElement).select() },
    }),
    h(
      "div",
      { class: "row" },
      button(copied ? "Copied" : "Copy link", () => actions.copy(link), { small: true, key: "copy" }),
      joinLink !== undefined &&
        h("a", { class: "button small quiet", href: link, target: "_blank", rel: "noopener" }, "Join with this device"),
    ),
    joinLink === undefined &&
      h(
        "p",
        { class: "small soft", key: "hint" },
        "The coordinator printed the whole link, with its token, when it started.",
      ),
  );
}
