import { randomBytes } from "node:crypto";
import { systemClock } from "../../shared/clock.ts";
import { philoxRng } from "../../shared/rng.ts";
import { ComputeNode } from "../node/node.ts";
import type { NodeOptions, NodeState } from "../node/state.ts";
import { createHttpDataPlane } from "../transport/http-data-plane.ts";
import { connectWebSocket } from "../transport/websocket.ts";
import { askByFetch } from "../transport/answer.ts";
import { collectGarbage } from "../worker/collect-node.ts";
import { spawnNodeWorker } from "../worker/spawn-node.ts";
import { askBySocket } from "./ask-by-socket.ts";
import { temporarySpillFile } from "./spill-file.ts";
import { fileExecutionLog } from "./execution-log.ts";
import { nodePeers } from "./webrtc.ts";

export interface HeadlessOptions extends NodeOptions {
  /** Takes one line for people at each change. */
  readonly log: (line: string) => void;
  /** A file that gets one line of JSON for each attempt that ran here. */
  readonly executionLog?: string;
}

/** A node in a process of its own. Resolves once its threads take work; it joins then, and keeps trying where nobody answers. */
export async function startHeadless(options: HeadlessOptions): Promise<ComputeNode> {
  const { url, token, name, slots, memoryBytes, relayOnly = false, log, executionLog } = options;
  const ask = askBySocket(askByFetch(fetch));
  const peers = relayOnly ? undefined : nodePeers(url);
  const lacks = ["WebGPU and WebGL"];
  if (relayOnly) lacks.push("connections to other nodes: it was started relay only");
  else if (peers === undefined) lacks.push("connections to other nodes: no WebRTC here");
  const node = new ComputeNode({
    identity: { token, name, kind: "headless", slots, memoryBytes },
    open: () => connectWebSocket(url),
    dataPlane: (secret) => createHttpDataPlane({ url, secret, ask }),
    readFrom: url,
    peers,
    spawn: spawnNodeWorker,
    spill: temporarySpillFile,
    collect: collectGarbage,
    clock: systemClock,
    rng: philoxRng(randomBytes(4).readUInt32LE(), 0),
    lacks: () => lacks,
    ...(executionLog === undefined ? {} : { executionLog: fileExecutionLog(executionLog, log) }),
  });
  await node.ready;
  let said = "";
  node.subscribe((state) => {
    const line = describe(state, url);
    if (line !== said) log(line);
    said = line;
  });
  return node;
}

/** What has become of the node, in a line; the same line while nothing has changed for a person. */
function describe({ phase, detail, node, slots, tasksDone, tasksFailed }: NodeState, url: string): string {
  const why = detail === "" ? "" : `: ${detail}`;
  switch (phase) {
    case "connecting":
      return `connecting to ${url}${why}`;
    case "working":
      return `joined ${url} as ${node ?? "a node"} with ${slots} slots`;
    case "paused":
      return "paused";
    case "reconnecting":
      return `lost ${url}${why}; trying again`;
    case "leaving":
      return "leaving: finishing what runs, giving back the rest";
    case "stopped":
      return `stopped${why} (${tasksDone} tasks done, ${tasksFailed} failed)`;
  }
}
