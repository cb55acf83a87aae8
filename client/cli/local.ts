import {
  createInProcessCoordinator,
  type InProcessCoordinator,
  JobLog,
  streamedArtifacts,
} from "../../coordinator/index.ts";
import { systemClock } from "../../shared/clock.ts";
import { KindlingError } from "../../shared/errors.ts";
import type { BlobHash } from "../../shared/ids.ts";
import { memoryChannelPair } from "../../shared/protocol/memory-channel.ts";
import type { ToCoordinator, ToNode } from "../../shared/protocol/messages.ts";
import { startLocalNode } from "../headless/local.ts";
import { streamOf } from "../node/byte-stream.ts";
import type { DataPlane } from "../node/data-plane.ts";
import type { OutFiles } from "./out-files.ts";

export interface LocalOptions {
  readonly slots: number;
  readonly memoryBytes: number;
  readonly outFiles: OutFiles;
  readonly verbose: boolean;
}

/** The executor `local`: a coordinator in memory, with one node in this process. */
export interface LocalExecutor extends InProcessCoordinator {
  /** Keeps a bundle, and resolves when all workers have it ready. */
  addBundle(code: Uint8Array): Promise<BlobHash>;
  stop(): Promise<void>;
}

/** Starts it; resolves when its workers take work, so that a job's seconds are the job's. */
export async function startLocal(options: LocalOptions): Promise<LocalExecutor> {
  const coordinator = createInProcessCoordinator({
    clock: systemClock,
    log: new JobLog(options.verbose ? (line) => process.stderr.write(`${line}\n`) : () => undefined, "debug"),
    artifacts: streamedArtifacts((name) => options.outFiles.open(name)),
  });
  const [forNode, forCoordinator] = memoryChannelPair<ToCoordinator, ToNode>();
  coordinator.connect(forCoordinator);
  const node = await startLocalNode({
    channel: forNode,
    dataPlane: inProcessDataPlane(coordinator),
    slots: options.slots,
    memoryBytes: options.memoryBytes,
  });
  return {
    ...coordinator,
    async addBundle(code) {
      const bundle = await coordinator.addBundle(code);
      await node.load(bundle);
      return bundle;
    },
    async stop() {
      await coordinator.close();
      await node.stop();
    },
  };
}

/** Memory passed on, not copied: the coordinator's tables answer directly. */
function inProcessDataPlane(coordinator: InProcessCoordinator): DataPlane {
  return {
    bundle: (hash) => coordinator.bundle(hash),
    chunk: async ({ key }) => ({ value: await coordinator.value(key) }),
    async upload({ key }, payload) {
      if (!("value" in payload))
        throw new KindlingError("BadChunk", `${key} is encoded, in the process that needs its value`);
      coordinator.deliver(key, payload.value);
      return false;
    },
    read: (job, { ordinal }, start, end) => streamOf(() => coordinator.read(job, ordinal, start, end)),
  };
}
