import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { systemClock } from "../../shared/clock.ts";
import { chunkKey, jobId, taskKey } from "../../shared/ids.ts";
import { INLINE_BYTES } from "../../shared/protocol/messages.ts";
import { decodeValue, encodeValue } from "../../shared/protocol/value-codec.ts";
import { philoxRng } from "../../shared/rng.ts";
import { spawnNodeWorker } from "../worker/spawn-node.ts";
import { ComputeNode } from "./node.ts";
import { FakeCoordinator, hashOf, JOB, remoteChunk } from "./testing/fake-coordinator.ts";
import { streamOfBytes } from "./testing/byte-streams.ts";

const BUNDLE = `
const fill = { js: ({ bytes, byte }, context) => Array.from({ length: context.buckets }, () => new Uint8Array(bytes).fill(byte)) };
const sum = { js: (bytes) => bytes.reduce((a, b) => a + b, 0) };
const gate = { js: async (_, context) => {
  const reader = context.open(0);
  const target = new Uint8Array(4);
  const read = await reader.readInto(target, 2);
  return [reader.name, reader.size, read, ...target];
} };
export default { name: "test", tasks: { fill, sum, gate } };
`;

const nodes: ComputeNode[] = [];
afterEach(async () => {
  await Promise.all(nodes.splice(0).map((node) => node.stop()));
});

async function joined(slots: number, memoryBytes = 1e9): Promise<{ fake: FakeCoordinator; node: ComputeNode }> {
  const fake = new FakeCoordinator();
  const node = new ComputeNode({
    identity: { token: "token", name: "n".repeat(100), kind: "headless", slots, memoryBytes },
    open: fake.open,
    dataPlane: () => fake.plane,
    spawn: spawnNodeWorker,
    clock: systemClock,
    rng: philoxRng(1, 0),
    lacks: () => ["WebGPU"],
  });
  nodes.push(node);
  await fake.welcome();
  return { fake, node };
}

test("small outputs travel inside the result; large ones stay, named by their hash", async () => {
  const { fake } = await joined(1);
  const stage = fake.stage(fake.addBundle(BUNDLE), "fill", { kind: "shuffle", buckets: 2 });
  fake.assign(stage, [
    { kind: "value", value: { bytes: 10, byte: 3 } },
    { kind: "value", value: { bytes: INLINE_BYTES, byte: 4 } },
  ]);
  const [small, large] = [await fake.result(0), await fake.result(1)];
  if (!small.ok || !large.ok) throw new Error("a task failed");
  expect(small.chunks.map(({ inline }) => inline && decodeValue(inline))).toEqual(
    [0, 1].map(() => new Uint8Array(10).fill(3)),
  );
  const encoded = encodeValue(new Uint8Array(INLINE_BYTES).fill(4));
  expect(large.chunks).toEqual([0, 1].map(() => ({ bytes: encoded.byteLength, hash: hashOf(encoded) })));

  const [inlined, held] = [chunkKey(taskKey(JOB, 0, 0), 1), chunkKey(taskKey(JOB, 0, 1), 1)];
  const wanted = { key: held, bytes: encoded.byteLength, hash: hashOf(encoded) };
  fake.send({ type: "upload", chunks: [wanted, { ...wanted, key: inlined }] });
  expect((await fake.next("unavailable")).chunks).toEqual([inlined]);
  expect(fake.uploads).toEqual([{ chunk: wanted, payload: { encoded } }]);
});

test.each([
  ["keeps", true],
  ["only passes on", false],
])("over its budget it lets go of an output that the coordinator %s: %s", async (_does, keeps) => {
  const { fake } = await joined(1, 1_000_000);
  fake.keeps = keeps;
  const stage = fake.stage(fake.addBundle(BUNDLE), "fill", { kind: "shuffle", buckets: 1 });
  const make = async (partition: number) => {
    fake.assign(stage, [{ kind: "value", value: { bytes: 2 * INLINE_BYTES, byte: partition } }], partition);
    const result = await fake.result(partition);
    if (!result.ok) throw new Error(result.error.message);
    return result.chunks.map(({ bytes, hash }) => ({ key: chunkKey(taskKey(JOB, 0, partition), 0), bytes, hash }));
  };
  const first = await make(0);
  const absent = { key: chunkKey(taskKey(JOB, 9, 0), 0), bytes: 1, hash: null };
  fake.send({ type: "upload", chunks: first });
  await make(1);
  fake.send({ type: "upload", chunks: [...first, absent] });
  await fake.next("unavailable", ({ chunks }) => chunks.includes(absent.key));
  const refused = fake.received.flatMap((message) => (message.type === "unavailable" ? message.chunks : []));
  expect(refused).toEqual([...(keeps ? first : []), absent].map(({ key }) => key));
});

test("the inputs of the next lease are fetched while the first still runs", async () => {
  const { fake } = await joined(1);
  const bundle = fake.addBundle(BUNDLE);
  const arrival = Promise.withResolvers<Uint8Array>();
  fake.plane.read = () => streamOfBytes(arrival.promise);
  const stage = fake.stage(bundle, "gate", { sources: [{ ordinal: 0, name: "data.csv", bytes: 100 }] });
  fake.assign(stage, [{ kind: "value", value: null }]);
  const bytes = encodeValue(new Uint8Array([1, 2, 3]));
  const key = chunkKey(taskKey(JOB, 7, 0), 0);
  const fetched = Promise.withResolvers<void>();
  fake.plane.chunk = (ref) => {
    expect(ref.key).toBe(key);
    fetched.resolve();
    return Promise.resolve({ encoded: bytes.slice() });
  };
  fake.assign(fake.stage(bundle, "sum", { ordinal: 1 }), [
    remoteChunk({ key, bytes: bytes.byteLength, hash: hashOf(bytes) }),
  ]);
  // The only thread waits for its source: the fetch does not wait for the thread.
  await fetched.promise;
  expect(fake.received.some(({ type }) => type === "results")).toBe(false);
  arrival.resolve(new Uint8Array([5, 6, 7, 8]));
  const first = await fake.result(0);
  const second = await fake.result(0, 1);
  if (!first.ok || !second.ok) throw new Error("a task failed");
  expect(first.chunks.map(({ inline }) => inline && decodeValue(inline))).toEqual([["data.csv", 100, 4, 5, 6, 7, 8]]);
  expect(second.chunks.map(({ inline }) => inline && decodeValue(inline))).toEqual([6]);
});

test("a coordinator elsewhere cannot make a node read its own files", async () => {
  const folder = mkdtempSync(join(tmpdir(), "kindling-"));
  try {
    const path = join(folder, "secret.txt");
    writeFileSync(path, "secret!!!!");
    const { fake } = await joined(1);
    fake.sourceBytes = new TextEncoder().encode("public!!!!");
    const sources = [{ ordinal: 0, name: "data.csv", bytes: 10, path }];
    fake.assign(fake.stage(fake.addBundle(BUNDLE), "gate", { sources }), [{ kind: "value", value: null }]);
    const result = await fake.result(0);
    if (!result.ok) throw new Error(result.error.message);
    const read = result.chunks.map(({ inline }) => inline && decodeValue(inline));
    expect(read).toEqual([["data.csv", 10, 4, ...new TextEncoder().encode("blic")]]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("after a break it resumes, names what it holds, and sends again what was not acknowledged", async () => {
  const { fake, node } = await joined(1);
  fake.answers = false;
  const stage = fake.stage(fake.addBundle(BUNDLE), "fill", { kind: "shuffle", buckets: 1 });
  fake.assign(stage, [{ kind: "value", value: { bytes: 2 * INLINE_BYTES, byte: 1 } }]);
  const before = await fake.result(0);
  if (!before.ok) throw new Error(before.error.message);
  fake.received.length = 0;
  fake.break();
  expect(node.state).toMatchObject({ phase: "reconnecting", tasksDone: 1 });
  await fake.welcome();
  const key = chunkKey(taskKey(JOB, 0, 0), 0);
  const [chunk] = before.chunks;
  expect(await fake.next("hello")).toMatchObject({
    name: "n".repeat(64),
    lacks: ["WebGPU"],
    resume: { node: "node-1", secret: "secret" },
    held: [{ key, bytes: chunk?.bytes, hash: chunk?.hash }],
    running: [before.attempt],
  });
  expect(await fake.result(0)).toEqual(before);
  fake.answers = true;
  fake.send({ type: "acknowledge", accepted: [], rejected: [before.attempt] });
  fake.send({ type: "upload", chunks: [{ key, bytes: 1, hash: null }] });
  expect((await fake.next("unavailable")).chunks).toEqual([key]);
});

test("a paused node gives back what it has not started, and what comes too late", async () => {
  const { fake, node } = await joined(1);
  const arrival = Promise.withResolvers<Uint8Array>();
  const reading = Promise.withResolvers<void>();
  fake.plane.read = () => {
    reading.resolve();
    return streamOfBytes(arrival.promise);
  };
  const bundle = fake.addBundle(BUNDLE);
  const stage = fake.stage(bundle, "gate", { sources: [{ ordinal: 0, name: "data.csv", bytes: 100 }] });
  const input = { kind: "value", value: null } as const;
  fake.assign(stage, [input, input]);
  await reading.promise;
  node.pause();
  fake.assign(stage, [input], 2);
  const offers = fake.received.filter((message) => message.type === "availability");
  expect(offers).toEqual([
    { type: "availability", slots: 0, released: ["job-1/0/1#1"] },
    { type: "availability", slots: 0, released: ["job-1/0/2#1"] },
  ]);
  expect(node.state.phase).toBe("paused");
  arrival.resolve(new Uint8Array(4));
  expect(await fake.result(0)).toMatchObject({ ok: true });
  node.resume();
  expect(await fake.next("availability", ({ slots }) => slots === 1)).toEqual({
    type: "availability",
    slots: 1,
    released: [],
  });
  fake.assign(stage, [input], 3);
  expect(await fake.result(3)).toMatchObject({ ok: true });
});

test("an input that cannot be had fails its attempt, retryable, and leaves the thread to others", async () => {
  const { fake } = await joined(1);
  const bundle = fake.addBundle(BUNDLE);
  const key = chunkKey(taskKey(jobId("job-1"), 7, 0), 0);
  fake.assign(fake.stage(bundle, "sum"), [remoteChunk({ key, bytes: 3, hash: hashOf(new Uint8Array(3)) })]);
  fake.assign(fake.stage(bundle, "fill", { ordinal: 1 }), [{ kind: "value", value: { bytes: 1, byte: 1 } }]);
  expect(await fake.result(0, 1)).toMatchObject({ ok: true });
  expect(await fake.result(0)).toMatchObject({
    ok: false,
    error: { message: `Error: no chunk ${key}`, retryable: true },
  });
  expect(fake.requests.filter((request) => request === key)).toHaveLength(4);
});

test("a node that is turned away says why and ends", async () => {
  const { fake, node } = await joined(1);
  fake.break({ kind: "version", detail: "This coordinator speaks protocol 2" });
  expect(await node.ended).toMatchObject({
    phase: "stopped",
    outdated: true,
    detail: "This coordinator speaks protocol 2",
  });
});
