import type { WireError } from "../../shared/errors.ts";
import type { AttemptId, BlobHash } from "../../shared/ids.ts";
import type { ChunkRef, StageSpec } from "../../shared/protocol/messages.ts";
import type { Backend } from "../../shared/sdk/task.ts";
import type { Value } from "../../shared/value.ts";
import type { SourcePart } from "../node/connection.ts";
import type { Payload } from "../node/data-plane.ts";

/** What a node and its compute workers say to each other, over Comlink. All of it can be cloned between threads. */

export type WorkInput =
  | { readonly kind: "value"; readonly value: Value }
  | { readonly kind: "chunk"; readonly chunk: Payload }
  | { readonly kind: "chunks"; readonly chunks: readonly Payload[] };

export interface RunRequest {
  readonly attempt: AttemptId;
  readonly stage: StageSpec;
  readonly partition: number;
  readonly input: WorkInput;
  readonly outputs: OutputForm;
}

/** One bucket that a task made: encoded and hashed, or within one process as it is (`hash` null, `bytes` estimated). */
export interface ProducedChunk {
  readonly payload: Payload;
  readonly bytes: number;
  readonly hash: BlobHash | null;
}

export interface RunSuccess {
  readonly ok: true;
  readonly chunks: readonly ProducedChunk[];
  readonly summary: Value;
  readonly backend: Backend;
  readonly reason: string;
  readonly units: number;
  /** ms in the kernel. */
  readonly runMs: number;
}

export type RunReply = RunSuccess | { readonly ok: false; readonly error: WireError };

/**
 * How outputs leave a thread: encoded and hashed, for other machines; or, within one process, as they are: in memory that all threads
 * share, or, where it is short or full, in memory that moves to its next reader and is free as soon as that is done.
 */
export type OutputForm = "encoded" | "shared" | "moved";

export interface WorkerConfig {
  /** Bytes that one task may use. */
  readonly memoryBytes: number;
  /** Cap of an encoded summary, in bytes. */
  readonly summaryBytes: number;
  /** Origin of the coordinator, from which the thread fetches sources itself; null where its node does that for it. */
  readonly coordinator: string | null;
}

/** A thread that runs one task at a time. */
export interface ComputeWorker {
  /** Called first. `host` answers as a ComputeHost; gives the backends that work in this thread. */
  init(host: MessagePort, config: WorkerConfig): Promise<readonly Backend[]>;
  run(request: RunRequest): Promise<RunReply>;
  /** Gets a bundle ready, so that its first task need not wait for it. Never rejects: what is wrong, a run will say. */
  load(bundle: BlobHash): Promise<void>;
  /** Lets go of the last stage's memory, since no task is in sight. */
  rest(): void;
  /** Aborts the running attempt's signal; a kernel that does not look at it runs on. */
  abort(attempt: AttemptId): void;
}

/** What a compute worker asks of its node. */
export interface ComputeHost {
  bundle(hash: BlobHash): Promise<Uint8Array>;
  broadcast(ref: ChunkRef): Promise<Payload>;
  /** What proves the node to its coordinator, once it has joined. */
  secret(): Promise<string>;
  isJoined(): boolean | Promise<boolean>;
  /** So many bytes of a source came to the thread itself. */
  received(bytes: number): void;
  /** Fetches a part of a source, and sends it through the port, ahead of their reader: see source-pieces.ts. */
  stream(part: SourcePart, port: MessagePort): Promise<void>;
  /** Units done so far. */
  progress(attempt: AttemptId, units: number): void;
}
