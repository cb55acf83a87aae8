import * as z from "zod";
import {
  type AttemptId,
  type BlobHash,
  blobHash,
  type ChunkKey,
  type JobId,
  jobId,
  type NodeId,
  nodeId,
  parseAttemptId,
  parseChunkKey,
} from "../ids.ts";
import { BACKEND_CHOICES } from "../sdk/task.ts";
import type { Value } from "../value.ts";
import { SHUFFLE_MODES } from "./shuffle.ts";

/**
 * Every message between a node and its coordinator, as schemas: the types follow from them, and what comes from outside is
 * checked by them in frames.ts. PROTOCOL.md tells what they mean; a change there, here and in the golden frames is one commit.
 */
export const PROTOCOL_VERSION = 2;

/** An output up to this many encoded bytes travels inside the result and is durable at once. */
export const INLINE_BYTES = 64 * 1024;
/** A summary's cap, encoded. */
export const SUMMARY_BYTES = 16 * 1024;
/** The largest frame that either side takes. */
export const MAX_FRAME_BYTES = 8 * 1024 * 1024;

const branded = <T extends string>(parse: (text: string) => T) =>
  z.string().transform((text, context): T => {
    try {
      return parse(text);
    } catch (error) {
      context.addIssue({ code: "custom", message: (error as Error).message });
      return z.NEVER;
    }
  });
const job = branded<JobId>(jobId);
const node = branded<NodeId>(nodeId);
const attempt = branded<AttemptId>(parseAttemptId);
const chunk = branded<ChunkKey>(parseChunkKey);
const hash = branded<BlobHash>(blobHash);
/** A node's name at the signalling server: 128 random bits, told only to nodes that may connect to it. */
const peer = z.string().regex(/^[0-9a-f]{32}$/);

const count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const ordinal = z.number().int().min(0).max(999_999_999);
const text = (max: number) => z.string().max(max);
const bytes = z.instanceof(Uint8Array);
const value = z.custom<Value>(() => true);
const backend = z.enum(["js", "wasm", "webgpu", "webgl"]);

/**
 * One bucket of an output. `hash` is the SHA-256 of its encoded value; null only inside one process, where nothing is hashed.
 * `inline` is the encoded value itself, for small ones.
 */
const outputChunk = z.object({ bytes: count, hash: hash.nullable(), inline: bytes.optional() });
/** An output chunk with its name, for a task that reads it. `holders`: nodes that have it and may be asked before the coordinator. */
const chunkRef = outputChunk.extend({ key: chunk, holders: z.array(peer).max(8).optional() });

const wireError = z.object({ code: text(64), message: text(4096), retryable: z.boolean() });

const source = z.object({
  ordinal,
  name: text(1024),
  bytes: count,
  /** Only between threads of one process: where to read it in place. */
  path: text(4096).optional(),
});

/** What the tasks of one stage have in common; sent to a node before its first lease of the stage. */
const stage = z.object({
  job,
  ordinal,
  kind: z.enum(["map", "shuffle", "reduce"]),
  bundle: hash,
  task: text(64),
  backend: z.enum(BACKEND_CHOICES),
  buckets: ordinal,
  broadcast: chunkRef.nullable(),
  sources: z.array(source).max(4096),
  /** ms that one attempt may run before its worker is killed. */
  deadline: count,
  /** How its tasks get the chunks they read; `auto` where it is absent. */
  shuffle: z.enum(SHUFFLE_MODES).optional(),
});

const taskInput = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("value"), value }),
  /** One partition of a dataset. */
  z.object({ kind: z.literal("chunk"), chunk: chunkRef }),
  /** One bucket of every part, in the order of the parts. */
  z.object({ kind: z.literal("chunks"), chunks: z.array(chunkRef) }),
]);

/** The right and duty to run one attempt, for as long as heartbeats name it. */
const lease = z.object({ attempt, job, ordinal, partition: ordinal, input: taskInput });

const taskSuccess = z.object({
  attempt,
  ok: z.literal(true),
  chunks: z.array(outputChunk).min(1),
  summary: value,
  backend,
  /** Why this backend, in words: "auto: wasm 12 ms, js 80 ms on the probe". */
  reason: text(256),
  /** ms spent fetching inputs, and computing. */
  fetchMs: z.number().min(0),
  runMs: z.number().min(0),
  units: z.number().min(0),
  /** Bytes of the input's chunks by the way they came; absent where it read none. */
  fetched: z.object({ peer: count, relay: count, local: count }).optional(),
});
const taskFailure = z.object({ attempt, ok: z.literal(false), error: wireError });
const taskResult = z.discriminatedUnion("ok", [taskSuccess, taskFailure]);

const held = z.object({ key: chunk, bytes: count, hash: hash.nullable() });

const hello = z.object({
  type: z.literal("hello"),
  protocol: z.number().int(),
  token: text(256),
  /** Set when it comes back: the id it had and the secret that proves it. */
  resume: z.object({ node, secret: text(256) }).optional(),
  name: text(64),
  kind: z.enum(["tab", "headless", "local"]),
  slots: z.number().int().min(1).max(1024),
  memoryBytes: count,
  backends: z.array(backend).max(4),
  /** What this environment cannot do, in words for the dashboard. */
  lacks: z.array(text(64)).max(16),
  held: z.array(held).max(100_000),
  /** Whether it can connect to other nodes and is willing to: they learn its address then. */
  peers: z.boolean().optional(),
  /** Attempts that are still under way here, or done and not acknowledged. */
  running: z.array(attempt).max(4096),
});
const results = z.object({ type: z.literal("results"), results: z.array(taskResult).min(1).max(1024) });
const heartbeat = z.object({
  type: z.literal("heartbeat"),
  /** Every attempt that it still owes a result for, with the units done so far. */
  running: z.array(z.object({ attempt, units: z.number().min(0) })).max(4096),
});
/** Leases given back unstarted, and how many slots it offers from now on (0: paused). */
const availability = z.object({
  type: z.literal("availability"),
  slots: z.number().int().min(0).max(1024),
  released: z.array(attempt).max(4096),
});
/** Uploads that the coordinator asked for and that cannot be had here. */
const unavailable = z.object({ type: z.literal("unavailable"), chunks: z.array(chunk).max(4096) });
/** It wants to connect to a node that an assignment named as a holder. */
const dial = z.object({ type: z.literal("dial"), job, peer });
/** The node leaves for good when its attempts are done or given back. */
const leave = z.object({ type: z.literal("leave") });

export const toCoordinator = z.discriminatedUnion("type", [
  hello,
  results,
  heartbeat,
  availability,
  unavailable,
  dial,
  leave,
]);

const welcome = z.object({
  type: z.literal("welcome"),
  protocol: z.number().int(),
  node,
  /** Proves the node when it resumes, and authorises its data requests. */
  secret: text(256),
  /** ms between heartbeats; how many may be missed is the coordinator's affair. */
  heartbeat: z.number().int().min(100),
  /** Who it is at the signalling server, and the proof; only for a node that takes connections of others. */
  peer: z.object({ id: peer, token: text(256) }).optional(),
});
const assign = z.object({
  type: z.literal("assign"),
  /** Stages that this node has not been told of in this session. */
  stages: z.array(stage),
  leases: z.array(lease),
});
/** Stop these attempts; no result is wanted. */
const revoke = z.object({ type: z.literal("revoke"), attempts: z.array(attempt) });
/**
 * Results that are settled: forget them. `rejected` ones were late or wrong, and what they made is not wanted. Without any it
 * answers a heartbeat.
 */
const acknowledge = z.object({
  type: z.literal("acknowledge"),
  accepted: z.array(attempt),
  rejected: z.array(attempt),
});
/** Send these held chunks to the coordinator (PUT by hash). */
const upload = z.object({ type: z.literal("upload"), chunks: z.array(held) });
/** The job is over: drop its stages, its held outputs and its attempts. */
const forget = z.object({ type: z.literal("forget"), job });

/** Answers `dial`: good for one offer to that peer, soon; null where the two have nothing to do with each other. */
const ticket = z.object({ type: z.literal("ticket"), job, peer, ticket: text(64).nullable() });
/** Another node is about to connect: be at the signalling server. */
const listen = z.object({ type: z.literal("listen") });

export const toNode = z.discriminatedUnion("type", [
  welcome,
  assign,
  revoke,
  acknowledge,
  upload,
  forget,
  ticket,
  listen,
]);

export type ToCoordinator = z.output<typeof toCoordinator>;
export type ToNode = z.output<typeof toNode>;
export type Hello = z.output<typeof hello>;
export type Welcome = z.output<typeof welcome>;
export type StageSpec = z.output<typeof stage>;
export type PeerIdentity = NonNullable<Welcome["peer"]>;
export type Lease = z.output<typeof lease>;
export type TaskInput = z.output<typeof taskInput>;
export type TaskResult = z.output<typeof taskResult>;
export type TaskSuccess = z.output<typeof taskSuccess>;
export type OutputChunk = z.output<typeof outputChunk>;
export type ChunkRef = z.output<typeof chunkRef>;
export type HeldChunk = z.output<typeof held>;
export type SourceSpec = z.output<typeof source>;
