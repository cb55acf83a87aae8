import { expect, test, vi } from "vitest";
import { KindlingError } from "../../shared/errors.ts";
import type { JobView, Overview } from "../../shared/protocol/api.ts";
import { createDashboard } from "./controller.ts";
import type { DashboardApi } from "./desk.ts";
import type { DashboardModel } from "./model.ts";

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));
const overview = (jobs: readonly JobView[] = []): Overview => ({
  version: "1",
  now: 0,
  jobs,
  nodes: [],
  throughput: {},
});

function open(api: Partial<DashboardApi>) {
  const waits: number[] = [];
  const forget = vi.fn();
  const save = vi.fn(async () => {});
  let model: DashboardModel | undefined;
  const full: DashboardApi = {
    overview: async () => overview(),
    workloads: async () => [
      {
        name: "pi",
        description: "",
        params: { type: "object", properties: { samples: { type: "integer", default: 5 } } },
      },
    ],
    submit: async () => "j2",
    rerun: async () => "j2",
    cancel: async () => {},
    logs: async () => [],
    uploadFile: async () => ({ hash: "ab", bytes: 2 }),
    artifact: async () => (async function* () {})(),
    ...api,
  };
  const dashboard = createDashboard({
    clock: { now: () => 0, after: (ms) => (waits.push(ms), () => {}) },
    origin: "http://host",
    tokens: { take: () => "t".repeat(43), keep: () => {}, forget },
    api: () => full,
    save,
    copy: async () => {},
    changed: (next) => void (model = next),
  });
  dashboard.open();
  return {
    dashboard,
    waits,
    forget,
    save,
    model() {
      if (model === undefined) throw new Error("Nothing was shown yet");
      return model;
    },
  };
}

test("it polls four times a second while a job runs, once a second otherwise", async () => {
  const running = { id: "j", state: "running" } as JobView;
  const busy = open({ overview: async () => overview([running]) });
  const quiet = open({});
  await settled();
  expect([busy.waits, quiet.waits]).toEqual([[250], [1000]]);
});

test("a refused token is forgotten and asked for again, without more tries", async () => {
  const page = open({ overview: () => Promise.reject(new KindlingError("Unauthorized", "no")) });
  await settled();
  expect(page.forget).toHaveBeenCalledOnce();
  expect(page.model()).toMatchObject({ token: null, tokenProblem: expect.stringContaining("not accept") as string });
});

test("a coordinator that is away leaves what was known, and says when it is asked again", async () => {
  const overviews = vi
    .fn()
    .mockResolvedValueOnce(overview())
    .mockRejectedValue(new KindlingError("NoCoordinator", "x"));
  const page = open({ overview: overviews });
  await settled();
  page.dashboard.actions.retry();
  await settled();
  expect(page.model().overview).toEqual(overview());
  expect(page.model().connection).toEqual({
    kind: "lost",
    problem: "The coordinator does not answer. Trying again in 1 s.",
  });
});

test("a job starts with what differs from the defaults", async () => {
  const submit = vi.fn(async () => "j2");
  const page = open({ submit });
  await settled();
  page.dashboard.actions.answer("samples", "7");
  page.dashboard.actions.submit();
  await settled();
  expect(submit).toHaveBeenCalledWith({ workload: "pi", params: { samples: 7 } });
  expect(page.model().announcement).toBe("Job j2 has started.");
});

test("wrong answers are shown at their field and not sent", async () => {
  const submit = vi.fn(async () => "j2");
  const page = open({ submit });
  await settled();
  page.dashboard.actions.answer("samples", "many");
  page.dashboard.actions.submit();
  expect(page.model().draft.problems).toEqual({ samples: "A number is needed here." });
  expect(submit).not.toHaveBeenCalled();
});

test("what the coordinator finds wrong keeps the form as it was filled in", async () => {
  const page = open({ submit: () => Promise.reject(new KindlingError("BadParams", "samples: too many")) });
  await settled();
  page.dashboard.actions.answer("samples", "7");
  page.dashboard.actions.submit();
  await settled();
  expect(page.model().draft).toMatchObject({
    refusal: "samples: too many",
    submitting: false,
    answers: { samples: "7" },
  });
});

test("an upload becomes the field's value", async () => {
  const page = open({});
  await settled();
  page.dashboard.actions.upload("samples", new File(["ab"], "data.csv"));
  await vi.waitFor(() => expect(page.model().draft.answers).toEqual({ samples: "upload:ab/data.csv" }));
  expect(page.model().draft.uploading).toBeNull();
});

test("the log of an ended job is read to its end, once", async () => {
  const line = { sequence: 1, at: 0, level: "info", message: "a" } as const;
  const logs = vi.fn(async () => [line]);
  const page = open({ logs, overview: async () => overview([{ id: "j", state: "succeeded" } as JobView]) });
  page.dashboard.actions.toggleLog("j");
  await settled();
  page.dashboard.actions.retry();
  await settled();
  expect(logs).toHaveBeenCalledExactlyOnceWith("j", 0);
  expect(page.model().log).toMatchObject({ lines: [line], complete: true });
});

test("a failed request stays with its job", async () => {
  const page = open({ cancel: () => Promise.reject(new KindlingError("JobEnded", "It has ended")) });
  page.dashboard.actions.cancel("j");
  await settled();
  expect(page.model()).toMatchObject({ jobProblems: { j: "It has ended" }, busy: { j: false } });
});
