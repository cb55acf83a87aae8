import type { Backend } from "../../shared/sdk/task.ts";

/** What a node tells its surroundings (the join page, the headless log) about itself. Plain data: it crosses Comlink. */
export interface NodeState {
  readonly phase: "connecting" | "working" | "paused" | "reconnecting" | "leaving" | "stopped";
  /** Why it stopped or reconnects, in words for a person; empty otherwise. */
  readonly detail: string;
  /** Whether a reload brings a tab of the coordinator's version. */
  readonly outdated: boolean;
  readonly node: string | null;
  readonly slots: number;
  readonly running: readonly {
    readonly attempt: string;
    readonly task: string;
    readonly units: number;
    readonly seconds: number;
  }[];
  readonly tasksDone: number;
  readonly tasksFailed: number;
  readonly unitsDone: number;
  readonly bytesReceived: number;
  readonly bytesSent: number;
  readonly backends: readonly Backend[];
  readonly lacks: readonly string[];
}

export interface NodeOptions {
  /** Origin of the coordinator, `http://host:port`. */
  readonly url: string;
  readonly token: string;
  readonly name: string;
  readonly slots: number;
  readonly memoryBytes: number;
  /** Connects to no other node, so that none learns this one's address: all bytes go through the coordinator. */
  readonly relayOnly?: boolean;
}

/** The remote control of a node; in a tab it is called over Comlink from the page. */
export interface NodeControl {
  start(options: NodeOptions): Promise<void>;
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Finishes or gives back what it runs, then leaves. */
  stop(): Promise<void>;
  /** Calls back at once and on every change, at most every 500 ms. */
  subscribe(listener: (state: NodeState) => void): Promise<void>;
}

/** What a tab's page asks of its I/O worker. */
export interface IoControl extends NodeControl {
  /** The other end of this port makes connections to other nodes. Called before `start`, in browsers that can. */
  usePeers(port: MessagePort): Promise<void>;
}
