import { systemClock } from "../../shared/clock.ts";
import type { NodeChannel } from "../../shared/protocol/channel.ts";
import { philoxRng } from "../../shared/rng.ts";
import type { DataPlane } from "../node/data-plane.ts";
import type { ExecutionLog } from "../node/execution-log.ts";
import { ComputeNode } from "../node/node.ts";
import { collectGarbage } from "../worker/collect-node.ts";
import { spawnNodeWorker } from "../worker/spawn-node.ts";
import { temporarySpillFile } from "./spill-file.ts";

export interface LocalNodeOptions {
  readonly channel: NodeChannel;
  readonly dataPlane: DataPlane;
  /** Threads. */
  readonly slots: number;
  readonly memoryBytes: number;
  readonly executionLog?: ExecutionLog;
}

/**
 * Starts a node in the coordinator's own process; resolves once its threads take work, so that a job that begins then does not wait
 * for them. Values pass through shared memory, and nothing is encoded or hashed. `stop` ends it.
 */
export async function startLocalNode(options: LocalNodeOptions): Promise<ComputeNode> {
  const { channel, dataPlane, slots, memoryBytes, executionLog } = options;
  const node = new ComputeNode({
    identity: { token: "", name: "this process", kind: "local", slots, memoryBytes },
    open: onlyOnce(channel),
    dataPlane: () => dataPlane,
    spawn: spawnNodeWorker,
    spill: temporarySpillFile,
    collect: collectGarbage,
    clock: systemClock,
    rng: philoxRng(0, 0),
    inProcess: true,
    ...(executionLog === undefined ? {} : { executionLog }),
  });
  await node.ready;
  return node;
}

/** There is one channel: when it has closed, the coordinator is gone with it. */
function onlyOnce(channel: NodeChannel): () => NodeChannel {
  return () => ({
    send: (message) => channel.send(message),
    onMessage: (receiver) => channel.onMessage(receiver),
    onClose: (listener) => channel.onClose(({ detail }) => listener({ kind: "normal", detail })),
    close: (reason) => channel.close(reason),
  });
}
