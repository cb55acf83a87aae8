import { proxy, transfer, wrap } from "comlink";
import { createPeerJsTransport, type PeerJs } from "../transport/peer/peerjs-transport.ts";
import { servePeers } from "../worker/peer-port.ts";
import type { IoControl, NodeControl } from "./state.ts";

/**
 * The node of this tab, controlled from the page. Its work happens in workers; until `start` they are idle. The listener of
 * `subscribe` hears the first state when the node starts. Calls reject when the worker could not be loaded.
 */
export function createTabNode(): NodeControl {
  const worker = new Worker(new URL("../worker/io-entry.ts", import.meta.url), { type: "module" });
  const remote = wrap<IoControl>(worker);
  const { promise: broken, reject } = Promise.withResolvers<never>();
  broken.catch(() => {});
  worker.addEventListener("error", ({ message }) => {
    reject(new Error(`The node's worker failed: ${message || "it could not be loaded"}`));
  });
  const peers = pagePeers();
  const orBroken = (call: Promise<void>): Promise<void> => Promise.race([call, broken]);
  return {
    async start(options) {
      const port = peers.take(options.url);
      if (port !== undefined) await orBroken(remote.usePeers(transfer(port, [port])));
      await orBroken(remote.start(options));
    },
    pause: () => orBroken(remote.pause()),
    resume: () => orBroken(remote.resume()),
    stop: () => orBroken(remote.stop()),
    subscribe: (listener) => orBroken(remote.subscribe(proxy(listener))),
  };
}

/** The page's part in connections to other nodes, made once; the library is loaded when it is first needed. */
function pagePeers(): { take(url: string): MessagePort | undefined } {
  let isTaken = false;
  const load = (): Promise<PeerJs> => import("peerjs");
  return {
    take(url) {
      if (isTaken || typeof RTCPeerConnection !== "function") return undefined;
      isTaken = true;
      const { port1, port2 } = new MessageChannel();
      servePeers(port1, (identity, incoming) => createPeerJsTransport({ url, identity, incoming, load }));
      return port2;
    },
  };
}
