import type { WorkerHandle } from "../node/worker-handle.ts";

/** Starts a compute worker as a Web Worker, from a page or from another worker. */
export function spawnWebWorker(): WorkerHandle {
  const worker = new Worker(new URL("./web-entry.ts", import.meta.url), { type: "module" });
  const { promise: failed, resolve } = Promise.withResolvers<Error>();
  worker.addEventListener("error", (event) => {
    resolve(new Error(event.message === "" ? "The worker could not be loaded" : event.message));
  });
  return { endpoint: worker, failed, terminate: () => worker.terminate() };
}
