import { proxy, wrap } from "comlink";
import type { NodeControl } from "./state.ts";

/**
 * The node of this tab, controlled from the page. Its work happens in workers; until `start` they are idle. The listener of
 * `subscribe` hears the first state when the node starts. Calls reject when the worker could not be loaded.
 */
export function createTabNode(): NodeControl {
  const worker = new Worker(new URL("../worker/io-entry.ts", import.meta.url), { type: "module" });
  const remote = wrap<NodeControl>(worker);
  const { promise: broken, reject } = Promise.withResolvers<never>();
  broken.catch(() => {});
  worker.addEventListener("error", ({ message }) => {
    reject(new Error(`The node's worker failed: ${message || "it could not be loaded"}`));
  });
  const orBroken = (call: Promise<void>): Promise<void> => Promise.race([call, broken]);
  return {
    start: (options) => orBroken(remote.start(options)),
    pause: () => orBroken(remote.pause()),
    resume: () => orBroken(remote.resume()),
    stop: () => orBroken(remote.stop()),
    subscribe: (listener) => orBroken(remote.subscribe(proxy(listener))),
  };
}
