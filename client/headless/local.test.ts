import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { attemptId, chunkKey, taskKey } from "../../shared/ids.ts";
import type { ExecutionRecord } from "../node/execution-log.ts";
import type { ComputeNode } from "../node/node.ts";
import { FakeCoordinator, JOB } from "../node/testing/fake-coordinator.ts";
import { startLocalNode } from "./local.ts";

const BUNDLE = `
const double = { js: (input, context) => { context.progress(input.length); return input.map((n) => n * 2); } };
const large = { js: (size, context) => { const bytes = context.allocate(size); bytes.fill(7); return { bytes, note: "x" }; } };
const weigh = { js: (parts, context) => {
  context.report(parts.map(({ bytes }) => bytes.buffer instanceof SharedArrayBuffer));
  return parts.reduce((sum, { bytes }) => sum + bytes.reduce((a, b) => a + b, 0), 0);
} };
const scale = { js: (input, context) => input * context.broadcast.factor[0] };
const spin = { js: () => { for (;;) {} } };
const wrong = { js: () => { throw Object.assign(new Error("row 3 has no date"), { code: "BadInput", retryable: false }); } };
const crash = { js: () => { throw new TypeError("no such thing"); } };
const exit = { js: () => process.exit(3) };
const head = { js: (range, context) => {
  const reader = context.open(range.source);
  const target = new Uint8Array(100);
  const bytes = target.subarray(0, reader.readInto(target, range.start));
  return [reader.name, new TextDecoder().decode(bytes)];
} };
export default { name: "test", tasks: { exit, head, double, large, weigh, scale, spin, wrong, crash } };
`;

const nodes: ComputeNode[] = [];
afterEach(async () => {
  await Promise.all(nodes.splice(0).map((node) => node.stop()));
});

async function joinedNode(
  slots: number,
): Promise<{ fake: FakeCoordinator; node: ComputeNode; log: ExecutionRecord[] }> {
  const fake = new FakeCoordinator();
  fake.keeps = false;
  const log: ExecutionRecord[] = [];
  const node = await startLocalNode({
    channel: fake.open(),
    dataPlane: fake.plane,
    slots,
    memoryBytes: 1e9,
    executionLog: (record) => log.push(record),
  });
  nodes.push(node);
  await fake.welcome();
  return { fake, node, log };
}

test("a local node says what it is and works off leases", async () => {
  const { fake, node, log } = await joinedNode(2);
  expect(await fake.next("hello")).toMatchObject({ kind: "local", slots: 2, backends: ["wasm", "js"], held: [] });
  const stage = fake.stage(fake.addBundle(BUNDLE), "double");
  fake.assign(stage, [
    { kind: "value", value: [1, 2] },
    { kind: "value", value: [3] },
  ]);
  const results = [await fake.result(0), await fake.result(1)];
  expect(results).toMatchObject([
    { ok: true, backend: "js", reason: "auto: js alone", units: 2 },
    { ok: true, backend: "js", units: 1 },
  ]);
  expect(log.map(({ attempt, task, outcome }) => [attempt, task, outcome]).sort()).toEqual([
    ["job-1/0/0#1", "double", "ok"],
    ["job-1/0/1#1", "double", "ok"],
  ]);
  expect(node.state).toMatchObject({ phase: "working", tasksDone: 2, unitsDone: 3, tasksFailed: 0 });
});

test("outputs are held as values in shared memory, read in place by the next stage, and uploaded on request", async () => {
  const { fake } = await joinedNode(1);
  const bundle = fake.addBundle(BUNDLE);
  const size = 100_000;
  fake.assign(fake.stage(bundle, "large"), [
    { kind: "value", value: size },
    { kind: "value", value: size },
  ]);
  const made = await Promise.all([fake.result(0), fake.result(1)]);
  const chunks = made.map((result, partition) => {
    if (!result.ok) throw new Error(result.error.message);
    const [chunk] = result.chunks;
    if (chunk === undefined) throw new Error("no chunk");
    expect(chunk).toEqual({ bytes: expect.any(Number) as number, hash: null });
    return { key: chunkKey(taskKey(JOB, 0, partition), 0), bytes: chunk.bytes, hash: null };
  });
  fake.assign(fake.stage(bundle, "weigh", { ordinal: 1, kind: "reduce" }), [{ kind: "chunks", chunks }]);
  expect(await fake.result(0, 1)).toMatchObject({ ok: true, summary: [true, true] });
  expect(fake.requests).toEqual([bundle]);

  const sum = chunkKey(taskKey(JOB, 1, 0), 0);
  fake.send({ type: "upload", chunks: [{ key: sum, bytes: 8, hash: null }] });
  fake.send({ type: "upload", chunks: [{ key: chunkKey(taskKey(JOB, 9, 0), 0), bytes: 8, hash: null }] });
  expect(await fake.next("unavailable")).toEqual({ type: "unavailable", chunks: ["job-1/9/0/0"] });
  expect(fake.uploads).toEqual([{ chunk: { key: sum, bytes: 8, hash: null }, payload: { value: 2 * 7 * size } }]);

  fake.send({ type: "forget", job: JOB });
  fake.send({ type: "upload", chunks: [{ key: sum, bytes: 8, hash: null }] });
  expect((await fake.next("unavailable", ({ chunks: [key] }) => key === sum)).chunks).toEqual([sum]);
});

test("a broadcast is fetched once and reaches every thread", async () => {
  const { fake } = await joinedNode(2);
  const key = chunkKey(taskKey(JOB, 5, 0), 0);
  fake.values.set(key, { value: { factor: new Float64Array([3]) } });
  const stage = fake.stage(fake.addBundle(BUNDLE), "scale", { broadcast: { key, bytes: 8, hash: null } });
  const inputs = [1, 2, 3, 4].map((value) => ({ kind: "value", value }) as const);
  fake.assign(stage, inputs);
  for (const partition of inputs.keys()) expect(await fake.result(partition)).toMatchObject({ ok: true });
  expect(fake.requests.filter((request) => request === key)).toHaveLength(1);
  fake.send({ type: "upload", chunks: [{ key: chunkKey(taskKey(JOB, 0, 3), 0), bytes: 8, hash: null }] });
  fake.send({ type: "upload", chunks: [{ key: chunkKey(taskKey(JOB, 8, 3), 0), bytes: 8, hash: null }] });
  await fake.next("unavailable");
  expect(fake.uploads).toMatchObject([{ payload: { value: 12 } }]);
});

test("a kernel that loops for ever is killed at its deadline, and its thread replaced", async () => {
  const { fake, log } = await joinedNode(1);
  const bundle = fake.addBundle(BUNDLE);
  fake.assign(fake.stage(bundle, "spin", { deadline: 200 }), [{ kind: "value", value: 0 }]);
  fake.assign(fake.stage(bundle, "double", { ordinal: 1 }), [{ kind: "value", value: [4] }]);
  expect(await fake.result(0)).toMatchObject({ ok: false, error: { code: "DeadlineExceeded", retryable: true } });
  expect(await fake.result(0, 1)).toMatchObject({ ok: true });
  const [killed] = log;
  expect(killed?.outcome).toBe("DeadlineExceeded");
  expect(killed?.ms).toBeLessThan(200 + 2000);
});

test("a revoked attempt ends without a result and frees its thread", async () => {
  const { fake, log } = await joinedNode(1);
  const bundle = fake.addBundle(BUNDLE);
  fake.assign(fake.stage(bundle, "spin"), [{ kind: "value", value: 0 }]);
  fake.assign(fake.stage(bundle, "double", { ordinal: 1 }), [{ kind: "value", value: [4] }]);
  fake.send({ type: "revoke", attempts: [attemptId(taskKey(JOB, 0, 0), 1)] });
  expect(await fake.result(0, 1)).toMatchObject({ ok: true });
  const reported = fake.received.flatMap((message) => (message.type === "results" ? message.results : []));
  expect(reported.map(({ attempt }) => attempt)).toEqual(["job-1/1/0#1"]);
  expect(log.map(({ outcome }) => outcome)).not.toContain("DeadlineExceeded");
});

test("errors keep their fate: wrong input is final, a crash may pass elsewhere", async () => {
  const { fake } = await joinedNode(1);
  const bundle = fake.addBundle(BUNDLE);
  fake.assign(fake.stage(bundle, "wrong"), [{ kind: "value", value: 0 }]);
  fake.assign(fake.stage(bundle, "crash", { ordinal: 1 }), [{ kind: "value", value: 0 }]);
  fake.assign(fake.stage(bundle, "missing", { ordinal: 2 }), [{ kind: "value", value: 0 }]);
  expect(await fake.result(0)).toMatchObject({
    error: { code: "BadInput", message: "row 3 has no date", retryable: false },
  });
  expect(await fake.result(0, 1)).toMatchObject({
    error: {
      code: "TaskCrashed",
      message: 'js kernel of task "crash" failed on partition 0: TypeError: no such thing',
      retryable: true,
    },
  });
  expect(await fake.result(0, 2)).toMatchObject({ error: { code: "UnknownTask", retryable: false } });
});

test("a thread that ends fails its task and is replaced", async () => {
  const { fake } = await joinedNode(1);
  const bundle = fake.addBundle(BUNDLE);
  fake.assign(fake.stage(bundle, "exit"), [{ kind: "value", value: 0 }]);
  fake.assign(fake.stage(bundle, "double", { ordinal: 1 }), [{ kind: "value", value: [4] }]);
  expect(await fake.result(0)).toMatchObject({
    error: { code: "TaskCrashed", message: "Error: The worker thread ended with code 3", retryable: true },
  });
  expect(await fake.result(0, 1)).toMatchObject({ ok: true });
});

test("a source with a path is read in place; one that is gone says so", async () => {
  const folder = mkdtempSync(join(tmpdir(), "kindling-"));
  try {
    const path = join(folder, "data.csv");
    writeFileSync(path, "key,value\nA,1\n");
    const { fake } = await joinedNode(1);
    const bundle = fake.addBundle(BUNDLE);
    const input = { kind: "value", value: { source: 0, start: 4, end: 9 } } as const;
    const source = { ordinal: 0, name: "data.csv", bytes: 14, path };
    fake.assign(fake.stage(bundle, "head", { sources: [source] }), [input]);
    fake.assign(fake.stage(bundle, "head", { ordinal: 1, sources: [{ ...source, path: `${path}.gone` }] }), [input]);
    expect(await fake.result(0)).toMatchObject({ ok: true });
    const key = chunkKey(taskKey(JOB, 0, 0), 0);
    fake.send({ type: "upload", chunks: [{ key, bytes: 8, hash: null }] });
    expect(await fake.result(0, 1)).toMatchObject({
      error: { code: "SourceUnavailable", message: expect.stringContaining("Cannot read data.csv") as string },
    });
    expect(fake.uploads).toMatchObject([{ payload: { value: ["data.csv", "value\nA,1\n"] } }]);
    expect(fake.sourceReads).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
