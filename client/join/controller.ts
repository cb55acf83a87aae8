import type { Clock } from "../../shared/clock.ts";
import type { Overview } from "../../shared/protocol/api.ts";
import type { ApiClient } from "../api/client.ts";
import type { NodeControl, NodeState } from "../node/state.ts";
import { createPoller } from "../ui/poll.ts";
import { isUnauthorized, problemText, retryText } from "../ui/problems.ts";
import type { TokenKeeper } from "../ui/token.ts";
import { parsePastedToken } from "../ui/token.ts";
import type { JoinMemory } from "./memory.ts";
import type { Device, JoinActions, JoinModel, Wish } from "./model.ts";
import { initialModel } from "./model.ts";

/** What the page stands on; tests give their own. */
export interface JoinWorld {
  readonly clock: Clock;
  /** ms since 1970. */
  readonly today: () => number;
  readonly origin: string;
  readonly device: Device;
  /** Bytes that the node may use. */
  readonly memoryBytes: number;
  readonly tokens: TokenKeeper;
  readonly memory: JoinMemory;
  readonly node: () => NodeControl;
  readonly api: (token: string) => Pick<ApiClient, "overview" | "rerun">;
  readonly reload: () => void;
  /** Called after every change of the model. */
  readonly changed: (model: JoinModel) => void;
}

export interface JoinController {
  readonly actions: JoinActions;
  /** Goes on where the tab was before a reload, and begins to watch the cluster. */
  open(): void;
  /** Takes over a token that came by a new link in the same tab. */
  retake(): void;
  /** Watches the cluster only while someone looks. */
  visible(yes: boolean): void;
}

/** ms between looks at the cluster: while a job runs, and otherwise. */
const BUSY_MS = 1_000;
const IDLE_MS = 3_000;

export function createJoin(world: JoinWorld): JoinController {
  const { memory, tokens } = world;
  let model = initialModel(tokens.take(), world.device, memory.settings(), memory.wish());
  let api = model.token === null ? null : world.api(model.token);
  let node: NodeControl | null = null;

  function set(change: Partial<JoinModel>): void {
    model = { ...model, ...change };
    world.changed(model);
  }

  function wish(wished: Wish): void {
    memory.keepWish(wished);
    set({ wish: wished });
  }

  const poller = createPoller({
    clock: world.clock,
    async round(signal) {
      if (api === null) return IDLE_MS;
      const overview: Overview = await api.overview(signal);
      if (!signal.aborted) set({ overview, overviewProblem: "" });
      return overview.jobs.some(({ state }) => state === "running") ? BUSY_MS : IDLE_MS;
    },
    failed(error, retryMs) {
      if (isUnauthorized(error)) refuseToken();
      else set({ overviewProblem: retryText(error, retryMs) });
    },
  });

  function useToken(token: string): void {
    api = world.api(token);
    set({ token, tokenProblem: "", overview: null, overviewProblem: "" });
    poller.start();
  }

  function refuseToken(): void {
    poller.stop();
    tokens.forget();
    api = null;
    set({ token: null, tokenProblem: "The coordinator does not accept this link any more. Ask for a new one." });
  }

  function heard(state: NodeState): void {
    set({ node: state });
    if (state.outdated && model.wish !== "off" && memory.claimReload(world.today())) world.reload();
  }

  /** Runs one command of the node; after a failure, which is shown, the next start makes a new node. */
  function command(work: (control: NodeControl) => Promise<void>): void {
    node ??= world.node();
    work(node).catch((error: unknown) => {
      node = null;
      set({ problem: problemText(error) });
    });
  }

  function start(paused: boolean): void {
    const { token, settings } = model;
    if (token === null) return;
    const subscribed = node !== null;
    set({ problem: "", node: null });
    wish(paused ? "paused" : "on");
    command(async (control) => {
      if (!subscribed) await control.subscribe(heard);
      const name = settings.name.trim() || memory.settings().name;
      const { slots, relayOnly } = settings;
      await control.start({ url: world.origin, token, name, slots, memoryBytes: world.memoryBytes, relayOnly });
      if (paused) await control.pause();
    });
  }

  const actions: JoinActions = {
    pasteToken(text) {
      const pasted = parsePastedToken(text, world.origin);
      if (!pasted.ok) return set({ tokenProblem: pasted.problem });
      tokens.keep(pasted.token);
      useToken(pasted.token);
    },
    setName(name) {
      set({ settings: { ...model.settings, name } });
      memory.keepSettings(model.settings);
    },
    setSlots(slots) {
      set({ settings: { ...model.settings, slots } });
      memory.keepSettings(model.settings);
    },
    setRelayOnly(relayOnly) {
      set({ settings: { ...model.settings, relayOnly } });
      memory.keepSettings(model.settings);
    },
    start: () => start(false),
    pause() {
      wish("paused");
      command((control) => control.pause());
    },
    resume() {
      wish("on");
      command((control) => control.resume());
    },
    stop() {
      wish("off");
      command((control) => control.stop());
    },
    reload: world.reload,
    rerun(job) {
      if (api === null) return;
      set({ rerunning: job, rerunProblem: "" });
      api
        .rerun(job)
        .then(() => poller.start())
        .catch((error: unknown) => set({ rerunProblem: problemText(error) }))
        .finally(() => set({ rerunning: null }));
    },
  };

  return {
    actions,
    open() {
      world.changed(model);
      if (model.token === null) return;
      if (model.wish !== "off") start(model.wish === "paused");
      poller.start();
    },
    retake() {
      const token = tokens.take();
      if (token !== null && token !== model.token) useToken(token);
    },
    visible: (yes) => (yes && model.token !== null ? poller.start() : poller.stop()),
  };
}
