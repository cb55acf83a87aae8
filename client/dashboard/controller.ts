import type { Clock } from "../../shared/clock.ts";
import type { Overview } from "../../shared/protocol/api.ts";
import { createPoller } from "../ui/poll.ts";
import { isUnauthorized, problemText, retryText } from "../ui/problems.ts";
import type { TokenKeeper } from "../ui/token.ts";
import { parsePastedToken } from "../ui/token.ts";
import type { DashboardApi, Desk } from "./desk.ts";
import { draftActions } from "./draft.ts";
import type { DashboardActions, DashboardModel } from "./model.ts";
import { initialModel } from "./model.ts";
import { record } from "./throughput.ts";

/** What the page stands on; tests give their own. */
export interface DashboardWorld {
  readonly clock: Clock;
  readonly origin: string;
  readonly tokens: TokenKeeper;
  readonly api: (token: string) => DashboardApi;
  /** Hands bytes to the user as a file. */
  readonly save: (content: AsyncIterable<Uint8Array>, name: string) => Promise<void>;
  readonly copy: (text: string) => Promise<void>;
  /** Called after every change of the model. */
  readonly changed: (model: DashboardModel) => void;
}

export interface DashboardController {
  readonly actions: DashboardActions;
  open(): void;
  /** Takes over a token that came by a new link in the same tab. */
  retake(): void;
  /** Polls only while someone looks. */
  visible(yes: boolean): void;
}

/** ms between polls: while a job runs, and otherwise. */
const BUSY_MS = 250;
const IDLE_MS = 1_000;
/** How long "Copied" stands, ms. */
const COPIED_MS = 2_000;

export function createDashboard(world: DashboardWorld): DashboardController {
  let model = initialModel(world.tokens.take());
  let api = model.token === null ? null : world.api(model.token);

  const desk: Desk = {
    model: () => model,
    set(change) {
      model = { ...model, ...change };
      world.changed(model);
    },
    api: () => api,
    refresh: () => poller.start(),
  };
  const { set } = desk;

  const poller = createPoller({
    clock: world.clock,
    async round(signal) {
      if (api === null) return IDLE_MS;
      const overview: Overview = await api.overview(signal);
      if (signal.aborted) return IDLE_MS;
      const history = record(model.history, world.clock.now(), overview.throughput);
      set({ overview, history, connection: { kind: "live" } });
      if (model.workloads === null && model.workloadsProblem === "") actions.loadWorkloads();
      await readLog(api);
      return overview.jobs.some(({ state }) => state === "running") ? BUSY_MS : IDLE_MS;
    },
    failed(error, retryMs) {
      if (isUnauthorized(error)) refuseToken();
      else set({ connection: { kind: "lost", problem: retryText(error, retryMs) } });
    },
  });

  /** New lines of the log that is open. An ended job's log is read once. */
  async function readLog(from: DashboardApi): Promise<void> {
    const open = model.log;
    if (open === null) return;
    const ended = model.overview?.jobs.find(({ id }) => id === open.job)?.state !== "running";
    if (open.complete) return;
    try {
      const lines = await from.logs(open.job, open.lines.at(-1)?.sequence ?? 0);
      if (model.log?.job !== open.job) return;
      set({ log: { ...open, lines: [...open.lines, ...lines], loaded: true, problem: "", complete: ended } });
    } catch (error) {
      if (model.log?.job === open.job) set({ log: { ...open, problem: problemText(error) } });
    }
  }

  function useToken(token: string): void {
    api = world.api(token);
    set({ ...initialModel(token) });
    poller.start();
  }

  function refuseToken(): void {
    poller.stop();
    world.tokens.forget();
    api = null;
    set({ ...initialModel(null), tokenProblem: "The coordinator does not accept this token any more." });
  }

  /** Runs one request about a job; what it meets is shown at that job. */
  function request(job: string, work: (api: DashboardApi) => Promise<string>): void {
    if (api === null || model.busy[job] === true) return;
    set({ busy: { ...model.busy, [job]: true }, jobProblems: { ...model.jobProblems, [job]: "" } });
    work(api)
      .then((announcement) => {
        set({ announcement, busy: { ...model.busy, [job]: false } });
        poller.start();
      })
      .catch((error: unknown) => {
        const jobProblems = { ...model.jobProblems, [job]: problemText(error) };
        set({ busy: { ...model.busy, [job]: false }, jobProblems });
      });
  }

  const actions: DashboardActions = {
    ...draftActions(desk),
    pasteToken(text) {
      const pasted = parsePastedToken(text, world.origin);
      if (!pasted.ok) return set({ tokenProblem: pasted.problem });
      world.tokens.keep(pasted.token);
      useToken(pasted.token);
    },
    toggle: (job, open) => set({ unfolded: { ...model.unfolded, [job]: open } }),
    toggleLog(job) {
      const open = model.log?.job !== job;
      set({ log: open ? { job, lines: [], loaded: false, complete: false, problem: "" } : null });
      if (open) poller.start();
    },
    askCancel: (job) => set({ confirming: job }),
    cancel(job) {
      set({ confirming: null });
      request(job, async (from) => {
        await from.cancel(job);
        return `Job ${job} is cancelled.`;
      });
    },
    rerun: (job) => request(job, async (from) => `Job ${await from.rerun(job)} has started.`),
    download: (job, artifact) =>
      request(job, async (from) => {
        await world.save(await from.artifact(job, artifact), artifact);
        return `${artifact} is downloaded.`;
      }),
    copy(text) {
      world.copy(text).then(
        () => {
          set({ copied: true, announcement: "The link is copied." });
          world.clock.after(COPIED_MS, () => set({ copied: false }));
        },
        () => set({ announcement: "The browser did not allow copying: select the link and copy it by hand." }),
      );
    },
    retry: () => poller.start(),
  };

  return {
    actions,
    open() {
      world.changed(model);
      if (model.token !== null) poller.start();
    },
    retake() {
      const token = world.tokens.take();
      if (token !== null && token !== model.token) useToken(token);
    },
    visible: (yes) => (yes && model.token !== null ? poller.start() : poller.stop()),
  };
}
