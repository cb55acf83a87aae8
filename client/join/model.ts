import type { Overview } from "../../shared/protocol/api.ts";
import type { NodeState } from "../node/state.ts";

/** Whether the user wants this device to compute; kept for the tab's session so that a reload goes on. */
export type Wish = "off" | "on" | "paused";

export interface Settings {
  /** What the others see of this device. */
  readonly name: string;
  /** Workers, 1 … threads. */
  readonly slots: number;
  /** Connect to no other volunteer: none learns this device's address. */
  readonly relayOnly: boolean;
}

export interface Device {
  /** Logical processors. */
  readonly threads: number;
  /** Whether the page came over https or from this machine; much of the browser is closed otherwise. */
  readonly secure: boolean;
}

export interface JoinModel {
  readonly token: string | null;
  readonly tokenProblem: string;
  readonly device: Device;
  readonly settings: Settings;
  readonly wish: Wish;
  /** What the node last said; null until it was started. */
  readonly node: NodeState | null;
  /** Why the node could not be started or controlled; empty if it could. */
  readonly problem: string;
  readonly overview: Overview | null;
  /** Why the list of jobs is not fresh; empty if it is. */
  readonly overviewProblem: string;
  /** The job whose rerun was asked for and not answered yet. */
  readonly rerunning: string | null;
  readonly rerunProblem: string;
}

export interface JoinActions {
  pasteToken(text: string): void;
  setName(name: string): void;
  setSlots(slots: number): void;
  setRelayOnly(yes: boolean): void;
  start(): void;
  pause(): void;
  resume(): void;
  stop(): void;
  reload(): void;
  rerun(job: string): void;
}

export function initialModel(token: string | null, device: Device, settings: Settings, wish: Wish): JoinModel {
  return {
    token,
    tokenProblem: "",
    device,
    settings,
    wish,
    node: null,
    problem: "",
    overview: null,
    overviewProblem: "",
    rerunning: null,
    rerunProblem: "",
  };
}
