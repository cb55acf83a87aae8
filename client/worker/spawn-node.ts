import { Worker } from "node:worker_threads";
import type { WorkerHandle } from "../node/worker-handle.ts";
import { nodeEndpoint } from "./node-endpoint.ts";

/** Starts a compute worker as a thread of this process. */
export function spawnNodeWorker(): WorkerHandle {
  // Kernels get nothing of the environment, and their console must not mix with this process's output.
  const worker = new Worker(new URL("./node-entry.ts", import.meta.url), { env: {}, execArgv: [], stdout: true });
  worker.stdout.on("data", (text: Uint8Array) => process.stderr.write(text));
  const { promise: failed, resolve } = Promise.withResolvers<Error>();
  worker.on("error", (error) => resolve(error instanceof Error ? error : new Error(String(error))));
  worker.on("exit", (code) => resolve(new Error(`The worker thread ended with code ${code}`)));
  return { endpoint: nodeEndpoint(worker), failed, terminate: () => void worker.terminate() };
}
