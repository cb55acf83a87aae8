import type { Endpoint } from "comlink";

/** A started thread, whatever kind it is. */
export interface WorkerHandle {
  readonly endpoint: Endpoint;
  /** Resolves when the thread broke or ended, with why. */
  readonly failed: Promise<Error>;
  terminate(): void;
}

export type SpawnWorker = () => WorkerHandle;
