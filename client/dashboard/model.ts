import type { LogLine, Overview, WorkloadView } from "../../shared/protocol/api.ts";
import type { Answers } from "./form.ts";
import type { Sample } from "./throughput.ts";

/** How far the page is in touch with the coordinator. */
export type Connection =
  | { readonly kind: "loading" }
  | { readonly kind: "live" }
  /** The last poll failed; what is shown is from before. */
  | { readonly kind: "lost"; readonly problem: string };

export interface Draft {
  /** Name of the workload; null until one is chosen. */
  readonly workload: string | null;
  readonly answers: Answers;
  readonly problems: Readonly<Record<string, string>>;
  /** The field whose file is being uploaded. */
  readonly uploading: string | null;
  readonly submitting: boolean;
  /** What the coordinator found wrong. */
  readonly refusal: string;
}

/** The log that is open; one at a time. */
export interface OpenLog {
  readonly job: string;
  readonly lines: readonly LogLine[];
  readonly loaded: boolean;
  /** Whether it was read after the job had ended: nothing comes any more. */
  readonly complete: boolean;
  readonly problem: string;
}

export interface DashboardModel {
  readonly token: string | null;
  readonly tokenProblem: string;
  readonly connection: Connection;
  readonly overview: Overview | null;
  readonly history: readonly Sample[];
  readonly workloads: readonly WorkloadView[] | null;
  readonly workloadsProblem: string;
  readonly draft: Draft;
  /** Jobs that the user opened (true) or closed (false); others are open while they run. */
  readonly unfolded: Readonly<Record<string, boolean>>;
  readonly log: OpenLog | null;
  /** The job whose cancelling waits for a second press. */
  readonly confirming: string | null;
  /** Jobs with a request under way, and what their last request met. */
  readonly busy: Readonly<Record<string, boolean>>;
  readonly jobProblems: Readonly<Record<string, string>>;
  /** The last thing that was done, in words; spoken by screen readers. */
  readonly announcement: string;
  readonly copied: boolean;
}

export interface DashboardActions {
  pasteToken(text: string): void;
  toggle(job: string, open: boolean): void;
  toggleLog(job: string): void;
  askCancel(job: string | null): void;
  cancel(job: string): void;
  rerun(job: string): void;
  download(job: string, artifact: string): void;
  chooseWorkload(name: string): void;
  answer(field: string, text: string): void;
  upload(field: string, file: File): void;
  submit(): void;
  loadWorkloads(): void;
  copy(text: string): void;
  retry(): void;
}

export const emptyDraft: Draft = {
  workload: null,
  answers: {},
  problems: {},
  uploading: null,
  submitting: false,
  refusal: "",
};

export function initialModel(token: string | null): DashboardModel {
  return {
    token,
    tokenProblem: "",
    connection: { kind: "loading" },
    overview: null,
    history: [],
    workloads: null,
    workloadsProblem: "",
    draft: emptyDraft,
    unfolded: {},
    log: null,
    confirming: null,
    busy: {},
    jobProblems: {},
    announcement: "",
    copied: false,
  };
}
