import type { BlobHash, JobId } from "../../shared/ids.ts";
import type { JobView, LogLine, Overview, WorkloadView } from "../../shared/protocol/api.ts";
import type { SubmitRequest } from "../../shared/protocol/submit-request.ts";
import type { CoordinatorChannel } from "../../shared/protocol/channel.ts";
import type { BlobStore, StoredBlob } from "../store/blobs.ts";

/** What the network side needs of the rest; main.ts wires the implementations. */
export interface JobService {
  /** Rejects with a KindlingError of code `BadRequest`/`BadInput` when workload or params are wrong. */
  submit(request: SubmitRequest): Promise<JobId>;
  /** Starts a finished job's spec anew. */
  rerun(job: JobId): Promise<JobId>;
  cancel(job: JobId): Promise<void>;
  get(job: JobId): JobView | undefined;
  /** Lines after that sequence number, oldest first. */
  logs(job: JobId, after: number): readonly LogLine[];
  workloads(): readonly WorkloadView[];
  overview(): Overview;
  /** How a task came to be as it is, in lines; undefined if there is no such task. */
  story(job: JobId, ordinal: number, partition: number): readonly string[] | undefined;
  /** An artifact's bytes in order, or undefined. */
  artifact(
    job: JobId,
    name: string,
  ): { readonly bytes: number; readonly content: AsyncIterable<Uint8Array> } | undefined;
}

export interface NodeService {
  /** Takes over a new connection: the session begins with its hello. `address` is for limits and logs. */
  connect(channel: CoordinatorChannel, address: string): void;
  /** Whether a bearer secret belongs to a node that is joined now. */
  isNodeSecret(secret: string): boolean;
}

/** Who may meet whom at the signalling server. */
export interface PeerService {
  /** Whether this is a joined node, with its token. */
  admits(peer: string, token: string): boolean;
  /** Uses a ticket up; gives the job for which these two may connect, or null. */
  redeem(ticket: string, reader: string, holder: string): JobId | null;
}

/** Bytes that nodes read and write. */
export interface DataService {
  readonly blobs: BlobStore;
  /**
   * A blob, from the store or, where a node holds it, brought here first (`BlobMissing` after a time limit).
   * `signal` ends the wait when the requester has gone.
   */
  locate(hash: BlobHash, signal: AbortSignal): Promise<{ readonly bytes: number }>;
  /**
   * Takes a chunk of `length` bytes from a node; gives null where it is only passed on, and not kept. Rejects with `HashMismatch` where its
   * bytes are others, `JobEnded` where no job wants it.
   */
  receive(hash: BlobHash, length: number, content: AsyncIterable<Uint8Array>): Promise<StoredBlob | null>;
  /** Called after the operator has stored a blob. */
  stored(hash: BlobHash): void;
  /** An opened source of a running job, to read ranges from. */
  source(
    job: JobId,
    ordinal: number,
  ): { readonly bytes: number; read(start: number, end: number): AsyncIterable<Uint8Array> } | undefined;
}

/** Whether the coordinator can take work: storage is writable. */
export interface HealthService {
  ready(): { readonly ok: true } | { readonly ok: false; readonly reason: string };
}
