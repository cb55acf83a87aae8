import { UPLOAD_PREFIX } from "../../shared/protocol/api.ts";
import { problemText } from "../ui/problems.ts";
import type { Desk } from "./desk.ts";
import { fieldsOf, paramsOf } from "./form.ts";
import type { DashboardActions, Draft } from "./model.ts";
import { emptyDraft } from "./model.ts";

type DraftActions = Pick<DashboardActions, "chooseWorkload" | "answer" | "upload" | "submit" | "loadWorkloads">;

/** What a user does to start a job: choose a workload, fill in its form, send it. */
export function draftActions({ model, set, api, refresh }: Desk): DraftActions {
  const change = (draft: Partial<Draft>): void => set({ draft: { ...model().draft, ...draft } });

  function answer(field: string, text: string): void {
    const { answers, problems } = model().draft;
    change({ answers: { ...answers, [field]: text }, problems: { ...problems, [field]: "" } });
  }

  return {
    loadWorkloads() {
      set({ workloadsProblem: "" });
      api()
        ?.workloads()
        .then((workloads) => {
          set({ workloads });
          if (model().draft.workload === null) change({ workload: workloads[0]?.name ?? null });
        })
        .catch((error: unknown) => set({ workloadsProblem: problemText(error) }));
    },
    chooseWorkload: (workload) => set({ draft: { ...emptyDraft, workload } }),
    answer,
    upload(field, file) {
      change({ uploading: field, problems: { ...model().draft.problems, [field]: "" } });
      const { workload } = model().draft;
      storeFile(file)
        .then((value) => {
          if (model().draft.workload === workload) answer(field, value);
        })
        .catch((error: unknown) => change({ problems: { ...model().draft.problems, [field]: problemText(error) } }))
        .finally(() => change({ uploading: null }));
    },
    submit() {
      const { draft, workloads } = model();
      const workload = workloads?.find(({ name }) => name === draft.workload);
      const client = api();
      if (workload === undefined || client === null || draft.submitting) return;
      const filled = paramsOf(fieldsOf(workload.params), draft.answers);
      if (!filled.ok) return change({ problems: filled.problems, refusal: "" });
      change({ problems: {}, refusal: "", submitting: true });
      client
        .submit({ workload: workload.name, params: filled.params })
        .then((job) => {
          change({ submitting: false });
          set({ announcement: `Job ${job} has started.` });
          refresh();
        })
        .catch((error: unknown) => change({ submitting: false, refusal: problemText(error) }));
    },
  };

  async function storeFile(file: File): Promise<string> {
    const { hash } = (await api()?.uploadFile(file)) ?? { hash: "" };
    return `${UPLOAD_PREFIX}${hash}/${file.name}`;
  }
}
