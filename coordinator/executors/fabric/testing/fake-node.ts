import { createHash } from "node:crypto";
import {
  type AttemptId,
  type BlobHash,
  blobHash,
  chunkKey,
  type NodeId,
  taskOfAttempt,
} from "../../../../shared/ids.ts";
import type { CloseReason, NodeChannel } from "../../../../shared/protocol/channel.ts";
import { memoryChannelPair } from "../../../../shared/protocol/memory-channel.ts";
import {
  type HeldChunk,
  type Hello,
  type Lease,
  type OutputChunk,
  PROTOCOL_VERSION,
  type StageSpec,
  type TaskSuccess,
  type ToCoordinator,
  type ToNode,
} from "../../../../shared/protocol/messages.ts";
import { encodeValue } from "../../../../shared/protocol/value-codec.ts";
import type { Value } from "../../../../shared/value.ts";
import type { NodeService } from "../../../net/services.ts";

const hashOf = (bytes: Uint8Array): BlobHash => blobHash(createHash("sha256").update(bytes).digest("hex"));

export const aHello = (more: Partial<Hello> = {}): Hello => ({
  type: "hello",
  protocol: PROTOCOL_VERSION,
  token: "join",
  name: "fake",
  kind: "headless",
  slots: 4,
  memoryBytes: 1,
  backends: ["js"],
  lacks: [],
  held: [],
  running: [],
  ...more,
});

/** A node that computes nothing: a test says what comes out of its leases. */
export class FakeNode {
  readonly received: ToNode[] = [];
  /** Leases that came and were not answered. */
  readonly leases: Lease[] = [];
  readonly stages = new Map<string, StageSpec>();
  readonly accepted: AttemptId[] = [];
  readonly rejected: AttemptId[] = [];
  /** Encoded outputs that it did not send, by hash. */
  readonly held = new Map<BlobHash, Uint8Array>();
  readonly asked: HeldChunk[] = [];
  id: NodeId | null = null;
  secret = "";
  closed: CloseReason | null = null;
  readonly #channel: NodeChannel;

  constructor(nodes: NodeService, hello: ToCoordinator | null = aHello()) {
    const [mine, theirs] = memoryChannelPair<ToCoordinator, ToNode>();
    this.#channel = mine;
    mine.onMessage((message) => this.#take(message));
    mine.onClose((reason) => {
      this.closed = reason;
    });
    nodes.connect(theirs, "test");
    if (hello) this.send(hello);
  }

  send(message: ToCoordinator): void {
    this.#channel.send(message);
  }

  beat(): void {
    this.send({ type: "heartbeat", running: this.leases.map(({ attempt }) => ({ attempt, units: 1 })) });
  }

  close(kind: CloseReason["kind"] = "lost"): void {
    this.#channel.close({ kind, detail: "" });
  }

  /** Answers the oldest lease, or the given one, with one value for each bucket. */
  finish(values: readonly Value[], options: { held?: boolean; lease?: Lease; summary?: Value } = {}): TaskSuccess {
    const lease = options.lease ?? this.leases[0];
    if (!lease) throw new Error("there is no lease to finish");
    if (this.leases.includes(lease)) this.leases.splice(this.leases.indexOf(lease), 1);
    const chunks = values.map((value) => this.#chunk(encodeValue(value), options.held ?? false));
    const result: TaskSuccess = {
      attempt: lease.attempt,
      ok: true,
      chunks,
      summary: options.summary,
      backend: "js",
      reason: "",
      fetchMs: 0,
      runMs: 1,
      units: 1,
    };
    this.send({ type: "results", results: [result] });
    return result;
  }

  fail(code: string, retryable: boolean): void {
    const lease = this.leases.shift();
    if (!lease) throw new Error("there is no lease to fail");
    const error = { code, message: `${code} on purpose`, retryable };
    this.send({ type: "results", results: [{ attempt: lease.attempt, ok: false, error }] });
  }

  /** What it says of an output when it joins. */
  heldChunks({ attempt, chunks }: TaskSuccess): HeldChunk[] {
    return chunks.map(({ bytes, hash }, bucket) => ({ key: chunkKey(taskOfAttempt(attempt), bucket), bytes, hash }));
  }

  #chunk(encoded: Uint8Array<ArrayBuffer>, held: boolean): OutputChunk {
    const hash = hashOf(encoded);
    if (held) this.held.set(hash, encoded);
    return { bytes: encoded.byteLength, hash, ...(held ? {} : { inline: encoded }) };
  }

  #take(message: ToNode): void {
    this.received.push(message);
    if (message.type === "welcome") {
      this.id = message.node;
      this.secret = message.secret;
    } else if (message.type === "assign") {
      for (const stage of message.stages) this.stages.set(`${stage.job}/${stage.ordinal}`, stage);
      this.leases.push(...message.leases);
    } else if (message.type === "acknowledge") {
      this.accepted.push(...message.accepted);
      this.rejected.push(...message.rejected);
    } else if (message.type === "upload") {
      this.asked.push(...message.chunks);
    } else if (message.type === "revoke") {
      for (const attempt of message.attempts) {
        const at = this.leases.findIndex((lease) => lease.attempt === attempt);
        if (at >= 0) this.leases.splice(at, 1);
      }
    }
  }
}
