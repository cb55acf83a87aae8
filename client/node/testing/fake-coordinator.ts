import { createHash } from "node:crypto";
import { attemptId, type BlobHash, blobHash, jobId, nodeId, taskKey } from "../../../shared/ids.ts";
import type { CloseReason, NodeChannel } from "../../../shared/protocol/channel.ts";
import type {
  ChunkRef,
  HeldChunk,
  Lease,
  SourceSpec,
  StageSpec,
  TaskResult,
  ToCoordinator,
  ToNode,
} from "../../../shared/protocol/messages.ts";
import type { DataPlane, Payload } from "../data-plane.ts";
import { streamOfBytes } from "./byte-streams.ts";

export const JOB = jobId("job-1");

export const hashOf = (bytes: Uint8Array): BlobHash => blobHash(createHash("sha256").update(bytes).digest("hex"));

/** The coordinator's side of one node, played by a test: it sees every message and answers when the test says so. */
export class FakeCoordinator {
  readonly received: ToCoordinator[] = [];
  readonly blobs = new Map<string, Uint8Array>();
  readonly values = new Map<string, Payload>();
  readonly uploads: { readonly chunk: HeldChunk; readonly payload: Payload }[] = [];
  /** Keys of chunks and hashes of bundles, in the order of the requests. */
  readonly requests: string[] = [];
  readonly sourceReads: { readonly source: SourceSpec; readonly start: number; readonly end: number }[] = [];
  sourceBytes = new Uint8Array();
  connections = 0;
  /** Whether uploads stay with it, or are only passed on. */
  keeps = true;
  /** Whether results and leaving are answered by themselves. */
  answers = true;
  #receiver: (message: ToNode) => void = () => {};
  #closer: (reason: CloseReason) => void = () => {};
  readonly #waiting: { matches(message: ToCoordinator): boolean; resolve(message: ToCoordinator): void }[] = [];
  #stagesTold = new Set<string>();

  readonly open = (): NodeChannel => {
    this.connections++;
    this.#stagesTold = new Set();
    return {
      send: (message) => this.#take(message),
      onMessage: (receiver) => {
        this.#receiver = receiver;
      },
      onClose: (listener) => {
        this.#closer = listener;
      },
      close: (reason) => this.#closer(reason),
    };
  };

  readonly plane: DataPlane = {
    bundle: (hash) => {
      this.requests.push(hash);
      const code = this.blobs.get(hash);
      return code === undefined ? Promise.reject(new Error(`no bundle ${hash}`)) : Promise.resolve(code);
    },
    chunk: (ref) => {
      this.requests.push(ref.key);
      const payload = this.values.get(ref.key);
      return payload === undefined ? Promise.reject(new Error(`no chunk ${ref.key}`)) : Promise.resolve(payload);
    },
    upload: (chunk, payload) => {
      this.uploads.push({ chunk, payload });
      return Promise.resolve(this.keeps);
    },
    read: (_job, source, start, end) => {
      this.sourceReads.push({ source, start, end });
      return streamOfBytes(this.sourceBytes.subarray(start, end));
    },
  };

  send(message: ToNode): void {
    this.#receiver(message);
  }

  break(reason: CloseReason = { kind: "lost", detail: "" }): void {
    this.#closer(reason);
  }

  /** The first message of that type that came or comes, and that `where` accepts. */
  next<T extends ToCoordinator["type"]>(
    type: T,
    where: (message: Extract<ToCoordinator, { type: T }>) => boolean = () => true,
  ): Promise<Extract<ToCoordinator, { type: T }>> {
    type Wanted = Extract<ToCoordinator, { type: T }>;
    const matches = (message: ToCoordinator): boolean => message.type === type && where(message as Wanted);
    const known = this.received.find(matches);
    if (known !== undefined) return Promise.resolve(known as Wanted);
    return new Promise((resolve) => this.#waiting.push({ matches, resolve: (message) => resolve(message as Wanted) }));
  }

  async welcome(): Promise<void> {
    await this.next("hello");
    this.send({ type: "welcome", protocol: 2, node: nodeId("node-1"), secret: "secret", heartbeat: 60_000 });
  }

  /** Stores a bundle made of this ES module text; gives its hash. */
  addBundle(text: string): BlobHash {
    const code = new TextEncoder().encode(text);
    const hash = hashOf(code);
    this.blobs.set(hash, code);
    return hash;
  }

  stage(bundle: BlobHash, task: string, more: Partial<StageSpec> = {}): StageSpec {
    return {
      job: JOB,
      ordinal: 0,
      kind: "map",
      bundle,
      task,
      backend: "auto",
      buckets: 1,
      broadcast: null,
      sources: [],
      deadline: 60_000,
      ...more,
    };
  }

  assign(stage: StageSpec, inputs: readonly Lease["input"][], firstPartition = 0): void {
    const leases = inputs.map((input, index): Lease => {
      const partition = firstPartition + index;
      const attempt = attemptId(taskKey(stage.job, stage.ordinal, partition), 1);
      return { attempt, job: stage.job, ordinal: stage.ordinal, partition, input };
    });
    const key = `${stage.job}/${stage.ordinal}`;
    this.send({ type: "assign", stages: this.#stagesTold.has(key) ? [] : [stage], leases });
    this.#stagesTold.add(key);
  }

  /** The result of a partition of stage 0, or of another one. */
  async result(partition: number, ordinal = 0): Promise<TaskResult> {
    const attempt = attemptId(taskKey(JOB, ordinal, partition), 1);
    const isIt = (result: TaskResult): boolean => result.attempt === attempt;
    const message = await this.next("results", ({ results }) => results.some(isIt));
    const result = message.results.find(isIt);
    if (result === undefined) throw new Error(`${attempt} is not in the message that was chosen for it`);
    return result;
  }

  /** Settles results and ends the session of a node that leaves, as a coordinator does. */
  #answer(message: ToCoordinator): void {
    if (!this.answers) return;
    if (message.type === "results") {
      this.send({ type: "acknowledge", accepted: message.results.map(({ attempt }) => attempt), rejected: [] });
    }
    if (message.type === "leave") this.break({ kind: "normal", detail: "" });
  }

  #take(message: ToCoordinator): void {
    this.received.push(message);
    queueMicrotask(() => this.#answer(message));
    const index = this.#waiting.findIndex(({ matches }) => matches(message));
    if (index !== -1) this.#waiting.splice(index, 1)[0]?.resolve(message);
  }
}

/** A chunk reference whose bytes the data plane must bring. */
export const remoteChunk = (ref: Pick<ChunkRef, "key" | "bytes" | "hash">): Lease["input"] => ({
  kind: "chunk",
  chunk: ref,
});
