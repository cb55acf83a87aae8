import { attemptId, blobHash, chunkKey, jobId, nodeId, taskKey } from "../ids.ts";
import type { ToCoordinator, ToNode } from "./messages.ts";

/**
 * One message of each kind and shape. The frames that they encode to lie in golden/, in hexadecimal: an implementation in
 * another language can check itself against them, and a change of the wire shows as a change of these files.
 */

const JOB = jobId("j-0a1b2c");
const NODE = nodeId("n-7f");
const HASH = blobHash("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
const TASK = taskKey(JOB, 2, 7);
const ATTEMPT = attemptId(TASK, 3);
const CHUNK = chunkKey(TASK, 1);
const PEER = "00112233445566778899aabbccddeeff";
const INLINE = Uint8Array.of(0x93, 1, 2, 3);

export const GOLDEN_TO_COORDINATOR: Readonly<Record<string, ToCoordinator>> = {
  hello: {
    type: "hello",
    protocol: 2,
    token: "join-token",
    name: "kitchen tablet",
    kind: "tab",
    slots: 4,
    memoryBytes: 2_147_483_648,
    backends: ["js", "wasm"],
    lacks: ["webgpu", "own storage"],
    held: [],
    peers: true,
    running: [],
  },
  "hello-resume": {
    type: "hello",
    protocol: 2,
    token: "join-token",
    resume: { node: NODE, secret: "node-secret" },
    name: "",
    kind: "headless",
    slots: 1,
    memoryBytes: 0,
    backends: ["js"],
    lacks: [],
    held: [
      { key: CHUNK, bytes: 70_000, hash: HASH },
      { key: chunkKey(TASK, 2), bytes: 5_000_000_000, hash: null },
    ],
    running: [ATTEMPT],
  },
  "results-inline": {
    type: "results",
    results: [
      {
        attempt: ATTEMPT,
        ok: true,
        chunks: [{ bytes: 4, hash: HASH, inline: INLINE }],
        summary: {
          rows: 11_231,
          mse: 0.485,
          sum: 9_007_199_254_740_993n,
          bins: Float64Array.of(-0.5, 1e300),
          ids: Uint32Array.of(1, 4_294_967_295),
        },
        backend: "wasm",
        reason: "auto: wasm 12 ms, js 80 ms on the probe",
        fetchMs: 1.5,
        runMs: 250,
        units: 100_000_000,
      },
    ],
  },
  "results-held": {
    type: "results",
    results: [
      {
        attempt: ATTEMPT,
        ok: true,
        chunks: [
          { bytes: 70_000, hash: HASH },
          { bytes: 4, hash: HASH, inline: INLINE },
        ],
        summary: null,
        backend: "js",
        reason: "asked for",
        fetchMs: 0,
        runMs: 0,
        units: 0,
        fetched: { peer: 5_000_000_000, relay: 70_000, local: 0 },
      },
    ],
  },
  "results-failed": {
    type: "results",
    results: [
      {
        attempt: ATTEMPT,
        ok: false,
        error: { code: "BadInput", message: "data.csv, row 7, column temp: “x” is not a number", retryable: false },
      },
    ],
  },
  heartbeat: { type: "heartbeat", running: [{ attempt: ATTEMPT, units: 12.5 }] },
  "heartbeat-idle": { type: "heartbeat", running: [] },
  availability: { type: "availability", slots: 0, released: [ATTEMPT] },
  unavailable: { type: "unavailable", chunks: [CHUNK] },
  dial: { type: "dial", job: JOB, peer: PEER },
  leave: { type: "leave" },
};

export const GOLDEN_TO_NODE: Readonly<Record<string, ToNode>> = {
  welcome: { type: "welcome", protocol: 2, node: NODE, secret: "node-secret", heartbeat: 1000 },
  "welcome-peer": {
    type: "welcome",
    protocol: 2,
    node: NODE,
    secret: "node-secret",
    heartbeat: 1000,
    peer: { id: PEER, token: "peer-token" },
  },
  assign: {
    type: "assign",
    stages: [
      {
        job: JOB,
        ordinal: 2,
        kind: "shuffle",
        bundle: HASH,
        task: "count",
        backend: "auto",
        buckets: 8,
        broadcast: null,
        sources: [{ ordinal: 0, name: "tuples.csv", bytes: 640_000_000 }],
        deadline: 600_000,
      },
    ],
    leases: [
      {
        attempt: ATTEMPT,
        job: JOB,
        ordinal: 2,
        partition: 7,
        input: { kind: "value", value: { source: 0, start: 0, end: 1_048_576 } },
      },
    ],
  },
  "assign-chunks": {
    type: "assign",
    stages: [
      {
        job: JOB,
        ordinal: 3,
        kind: "reduce",
        bundle: HASH,
        task: "merge",
        backend: "js",
        buckets: 1,
        broadcast: { key: CHUNK, bytes: 4, hash: HASH, inline: INLINE },
        sources: [],
        deadline: 600_000,
        shuffle: "peer",
      },
    ],
    leases: [
      {
        attempt: attemptId(taskKey(JOB, 3, 0), 1),
        job: JOB,
        ordinal: 3,
        partition: 0,
        input: { kind: "chunk", chunk: { key: CHUNK, bytes: 70_000, hash: HASH } },
      },
      {
        attempt: attemptId(taskKey(JOB, 3, 1), 1),
        job: JOB,
        ordinal: 3,
        partition: 1,
        input: {
          kind: "chunks",
          chunks: [
            { key: CHUNK, bytes: 70_000, hash: HASH, holders: [PEER] },
            { key: chunkKey(TASK, 2), bytes: 4, hash: HASH, inline: INLINE },
          ],
        },
      },
    ],
  },
  revoke: { type: "revoke", attempts: [ATTEMPT] },
  acknowledge: { type: "acknowledge", accepted: [ATTEMPT], rejected: [attemptId(TASK, 2)] },
  "acknowledge-heartbeat": { type: "acknowledge", accepted: [], rejected: [] },
  upload: { type: "upload", chunks: [{ key: CHUNK, bytes: 70_000, hash: HASH }] },
  forget: { type: "forget", job: JOB },
  ticket: { type: "ticket", job: JOB, peer: PEER, ticket: "one-time-ticket" },
  "ticket-refused": { type: "ticket", job: JOB, peer: PEER, ticket: null },
  listen: { type: "listen" },
};
