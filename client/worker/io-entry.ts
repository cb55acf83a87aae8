import { expose } from "comlink";
import { systemClock } from "../../shared/clock.ts";
import { philoxRng } from "../../shared/rng.ts";
import { ComputeNode } from "../node/node.ts";
import type { IoControl, NodeState } from "../node/state.ts";
import { createHttpDataPlane } from "../transport/http-data-plane.ts";
import type { OpenPeerTransport } from "../transport/peer/channel.ts";
import { connectWebSocket } from "../transport/websocket.ts";
import { openSpillFile } from "./opfs-spill.ts";
import { peersOverPort } from "./peer-port.ts";
import { spawnWebWorker } from "./spawn-web.ts";
import { tabLacks } from "./tab-lacks.ts";

/**
 * A tab's I/O worker: the session with its heartbeats, fetching and hashing, beside the page, whose timers browsers slow
 * down while nobody looks at it. Compute workers are workers of this worker.
 */

/**
 * So many workers may fetch sources themselves, each over a connection that waits for it: browsers allow six to one host, and outputs
 * need some. With more workers this one fetches for all, and no connection waits.
 */
const OWN_FETCHES = 4;

let node: ComputeNode | undefined;
/** Makes connections in the page; absent where the browser has none. */
let peers: OpenPeerTransport | undefined;
const listeners: ((state: NodeState) => void)[] = [];

const control: IoControl = {
  async usePeers(port) {
    peers = peersOverPort(port);
  },
  async start({ url, token, name, slots, memoryBytes, relayOnly = false }) {
    await node?.stop();
    const spill = await openSpillFile(navigator);
    const [seed = 0] = crypto.getRandomValues(new Uint32Array(1));
    node = new ComputeNode({
      identity: { token, name, kind: "tab", slots, memoryBytes },
      open: () => connectWebSocket(url),
      dataPlane: (secret) => createHttpDataPlane({ url, secret }),
      readFrom: slots <= OWN_FETCHES ? url : undefined,
      peers: relayOnly ? undefined : peers,
      spawn: spawnWebWorker,
      spill: spill && (() => spill),
      clock: systemClock,
      rng: philoxRng(seed, 0),
      lacks: (backends) =>
        tabLacks(isSecureContext, backends, relayOnly ? "unwanted" : peers ? "there" : "missing", spill !== undefined),
    });
    if (spill !== undefined) void node.ended.then(() => spill.close());
    for (const listener of listeners) node.subscribe(listener);
    await node.ready;
  },
  async pause() {
    node?.pause();
  },
  async resume() {
    node?.resume();
  },
  async stop() {
    await node?.stop();
  },
  async subscribe(listener) {
    listeners.push(listener);
    node?.subscribe(listener);
  },
};

expose(control);
