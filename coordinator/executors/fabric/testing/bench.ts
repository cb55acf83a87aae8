import { Readable } from "node:stream";
import { KindlingError } from "../../../../shared/errors.ts";
import { type BlobHash, type JobId, jobId } from "../../../../shared/ids.ts";
import { ManualClock } from "../../../../shared/testing/manual-clock.ts";
import type { Value } from "../../../../shared/value.ts";
import { JobLog } from "../../../observe/log.ts";
import type { JobRecord, OutputRecord } from "../../../store/journal.ts";
import { MemoryBlobs } from "../../../store/memory-blobs.ts";
import { MemoryJournal } from "../../../store/memory-journal.ts";
import type { StageRequest } from "../../executor.ts";
import { Fabric } from "../fabric.ts";
import { openServedFile } from "../files.ts";
import { Nodes } from "../nodes.ts";
import { Spool } from "../spool.ts";
import { FakeNode } from "./fake-node.ts";

/** A journal whose syncs a test lets through, holds up or fails. */
export class TestJournal extends MemoryJournal {
  /** What happened, in order. */
  readonly events: string[] = [];
  isFull = false;
  /** Syncs wait for it. */
  gate: Promise<void> = Promise.resolve();

  override putOutput(output: OutputRecord): void {
    this.events.push(`output ${output.task}`);
    super.putOutput(output);
  }

  override putJob(job: JobRecord): void {
    this.events.push(`job ${job.status}`);
    super.putJob(job);
  }

  override async sync(): Promise<void> {
    await this.gate;
    if (this.isFull) throw new KindlingError("StorageFull", "No space is left", { retryable: true });
    this.events.push("synced");
  }
}

/** Lets everything run that waits for nothing but other promises. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}

const BUNDLE = "b".repeat(64);

/** A fabric with fake nodes: no network, no threads, no disk, no time but the test's. */
export class Bench {
  readonly clock = new ManualClock();
  readonly blobs = new MemoryBlobs();
  readonly journal: TestJournal;
  readonly lines: string[] = [];
  readonly log = new JobLog((line) => this.lines.push(line), "debug");
  readonly fabric: Fabric;
  readonly nodes: Nodes;

  constructor(journal = new TestJournal()) {
    this.journal = journal;
    const { clock, blobs, log } = this;
    const openFile = openServedFile(blobs, null, new Spool("a folder that nothing is spooled to"), {
      urls: null,
      s3: null,
    });
    this.fabric = new Fabric({ clock, journal, blobs, openFile, log, taskDeadlineMs: 1000, inProcess: false });
    this.nodes = new Nodes(this.fabric, clock, log, (token) => token === "join");
  }

  async node(): Promise<FakeNode> {
    const node = new FakeNode(this.nodes);
    await settle();
    return node;
  }

  job(name: string, recovered: readonly OutputRecord[] = []): JobId {
    const id = jobId(name);
    this.fabric.begin({ id, bundle: BUNDLE, priority: 0 }, recovered);
    return id;
  }

  /** A map over plain inputs. */
  stage(job: JobId, inputs: readonly Value[], more: Partial<StageRequest> = {}): Promise<readonly Value[]> {
    const running = this.fabric.runStage({
      job,
      ordinal: 0,
      kind: "map",
      task: "task",
      label: "task",
      inputs: inputs.map((value) => ({ kind: "value", value })),
      buckets: 1,
      backend: "auto",
      broadcast: null,
      ...more,
    });
    running.catch(() => undefined);
    return running;
  }

  /** A node's upload, as the HTTP side takes it. */
  async upload(node: FakeNode, hash: BlobHash | null): Promise<void> {
    const bytes = hash === null ? undefined : node.held.get(hash);
    if (hash === null || !bytes) throw new Error("the node does not hold that");
    await this.blobs.put(bytes, hash);
    this.fabric.outputs.stored(hash);
    await settle();
  }

  /** The same, as the coordinator takes it from then on: to the store, or into memory. Tells whether it is kept. */
  async receive(node: FakeNode, hash: BlobHash | null, given?: Uint8Array): Promise<boolean> {
    const bytes = given ?? (hash === null ? undefined : node.held.get(hash));
    if (hash === null || !bytes) throw new Error("the node does not hold that");
    const content = Readable.from([bytes.subarray(0, 1), bytes.subarray(1)]);
    const stored = await this.fabric.outputs.receive(hash, bytes.byteLength, content);
    await settle();
    return stored !== null;
  }

  async later(ms: number): Promise<void> {
    this.clock.advance(ms);
    await settle();
  }
}
