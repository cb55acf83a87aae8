import type { ApiClient } from "../api/client.ts";
import type { DashboardModel } from "./model.ts";

/** What the dashboard asks of a coordinator. */
export type DashboardApi = Pick<
  ApiClient,
  "overview" | "workloads" | "submit" | "rerun" | "cancel" | "logs" | "uploadFile" | "artifact"
>;

/** The model and its access, as the parts of the controller share them. */
export interface Desk {
  model(): DashboardModel;
  set(change: Partial<DashboardModel>): void;
  /** Null while there is no token. */
  api(): DashboardApi | null;
  /** Polls now, to show what an action has changed. */
  refresh(): void;
}
