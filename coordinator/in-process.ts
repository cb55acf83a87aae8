import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Clock } from "../shared/clock.ts";
import type { BlobHash, ChunkKey, JobId } from "../shared/ids.ts";
import { KindlingError } from "../shared/errors.ts";
import type { CoordinatorChannel } from "../shared/protocol/channel.ts";
import type { Value } from "../shared/value.ts";
import { S3 } from "./aws/s3.ts";
import { Fabric } from "./executors/fabric/fabric.ts";
import { openLocalFile } from "./executors/fabric/files.ts";
import { Spool } from "./executors/fabric/spool.ts";
import { Nodes } from "./executors/fabric/nodes.ts";
import type { ArtifactStore } from "./jobs/artifacts.ts";
import { JobManager } from "./jobs/manager.ts";
import type { JobLog } from "./observe/log.ts";
import { MemoryBlobs } from "./store/memory-blobs.ts";
import { MemoryJournal } from "./store/memory-journal.ts";

/** ms that one attempt may run in this process: its user can see it and stop it. */
const TASK_DEADLINE_MS = 24 * 3600 * 1000;

/** A coordinator without a network and without a disk, for nodes in this process: the executor `local`. */
export interface InProcessCoordinator {
  readonly jobs: JobManager;
  connect(channel: CoordinatorChannel): void;
  /** Keeps a bundle, so that a job can name it. */
  addBundle(code: Uint8Array): Promise<BlobHash>;
  bundle(hash: BlobHash): Promise<Uint8Array>;
  /** A chunk's value, wherever in this process it lies. */
  value(key: ChunkKey): Promise<Value>;
  deliver(key: ChunkKey, value: Value): void;
  /** Bytes of an opened source that no worker can open itself. A piece holds until the next is asked for. */
  read(job: JobId, ordinal: number, start: number, end: number): AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}

export function createInProcessCoordinator(options: {
  readonly clock: Clock;
  readonly log: JobLog;
  readonly artifacts: ArtifactStore;
}): InProcessCoordinator {
  const blobs = new MemoryBlobs();
  const journal = new MemoryJournal();
  const { clock, log, artifacts } = options;
  const spool = new Spool(join(tmpdir(), `kindling-${process.pid}`));
  const fabric = new Fabric({
    clock,
    journal,
    blobs,
    openFile: openLocalFile(spool, process.stdin, new S3()),
    log,
    taskDeadlineMs: TASK_DEADLINE_MS,
    inProcess: true,
  });
  const nodes = new Nodes(fabric, clock, log, () => true);
  const jobs = new JobManager({
    version: "",
    fabric,
    spark: null,
    journal,
    blobs,
    artifacts,
    log,
    builtins: [],
    joinLink: () => undefined,
  });
  return {
    jobs,
    connect: (channel) => nodes.connect(channel, "in process"),
    addBundle: async (code) => (await blobs.put(code)).hash,
    bundle: (hash) => blobs.get(hash),
    value: (key) => fabric.outputs.locateValue(key),
    deliver: (key, value) => fabric.outputs.delivered(key, value),
    read(job, ordinal, start, end) {
      const source = fabric.source(job, ordinal);
      if (source === undefined) throw new KindlingError("UnknownSource", `Job ${job} has no source ${ordinal} open`);
      return source.read(start, end);
    },
    close: async () => {
      jobs.close();
      nodes.close();
      fabric.close();
      await spool.clear();
    },
  };
}
