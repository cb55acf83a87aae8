import { expect, test } from "vitest";
import { type JobId, nodeId, taskKey } from "../../../shared/ids.ts";
import { Bench, settle } from "./testing/bench.ts";
import { aHello, FakeNode } from "./testing/fake-node.ts";

test.each([
  ["another version", aHello({ protocol: 999 }), "version"],
  ["a wrong token", aHello({ token: "guess" }), "unauthorized"],
  ["no hello first", { type: "leave" } as const, "malformed"],
])("%s closes the connection with the reason", async (_what, message, kind) => {
  const bench = new Bench();
  const node = new FakeNode(bench.nodes, message);
  await settle();
  expect(node.closed?.kind).toBe(kind);
  expect(bench.fabric.nodes.size).toBe(0);
});

test("a second hello closes the connection", async () => {
  const bench = new Bench();
  const node = await bench.node();
  node.send(aHello());
  await settle();
  expect(node.closed?.kind).toBe("malformed");
});

test("a connection without a hello is closed after a time, one with it is not", async () => {
  const bench = new Bench();
  const silent = new FakeNode(bench.nodes, null);
  const node = await bench.node();
  await bench.later(9_999);
  expect(silent.closed).toBeNull();
  node.beat();
  await settle();
  await bench.later(1);
  expect(silent.closed?.kind).toBe("silent");
  expect(node.closed).toBeNull();
});

test("who resumes with the right secret keeps its id, and its old connection is replaced", async () => {
  const bench = new Bench();
  const node = await bench.node();
  const id = node.id ?? nodeId("none");
  const back = new FakeNode(bench.nodes, aHello({ token: "", resume: { node: id, secret: node.secret } }));
  await settle();
  expect(back.id).toBe(id);
  expect(node.closed?.kind).toBe("replaced");
  expect(bench.fabric.nodes.size).toBe(1);
  await bench.later(5_000);
  expect(bench.fabric.nodes.has(id)).toBe(true);
  expect(bench.nodes.isNodeSecret(node.secret)).toBe(true);
});

test("a wrong secret resumes nothing: the join token decides, and the id is another one", async () => {
  const bench = new Bench();
  const node = await bench.node();
  const resume = { node: node.id ?? nodeId("none"), secret: "guess" };
  const thief = new FakeNode(bench.nodes, aHello({ token: "guess", resume }));
  const stranger = new FakeNode(bench.nodes, aHello({ resume }));
  await settle();
  expect(thief.closed?.kind).toBe("unauthorized");
  expect(stranger.id).not.toBe(node.id);
  expect(node.closed).toBeNull();
});

test("a silent node is closed after ten missed heartbeats and lost after its grace", async () => {
  const bench = new Bench();
  const node = await bench.node();
  const stage = bench.stage(bench.job("j-1"), [1]);
  await settle();
  for (let second = 0; second < 10; second++) await bench.later(1_000);
  expect(node.closed).toBeNull();
  await bench.later(1_000);
  expect(node.closed?.kind).toBe("silent");
  expect(bench.fabric.nodes.size).toBe(1);
  await bench.later(1_500);
  expect(bench.fabric.nodes.size).toBe(0);
  const other = await bench.node();
  other.finish(["out"]);
  await stage;
});

test("heartbeats keep a node", async () => {
  const bench = new Bench();
  const node = await bench.node();
  for (let second = 0; second < 30; second++) {
    node.beat();
    await settle();
    await bench.later(1_000);
  }
  expect(node.closed).toBeNull();
});

test("a broken connection keeps its work for a grace; a normal end gives it away at once", async () => {
  const bench = new Bench();
  const [breaks, other] = [await bench.node(), await bench.node()];
  void bench.stage(bench.job("j-1"), [1]);
  await settle();
  const [worker, idle] = breaks.leases.length > 0 ? [breaks, other] : [other, breaks];
  worker.close("lost");
  await settle();
  expect(idle.leases).toEqual([]);
  await bench.later(1_500);
  expect(idle.leases).toHaveLength(1);
  const third = await bench.node();
  idle.close("normal");
  await settle();
  expect(third.leases).toHaveLength(1);
});

test("a node that leaves is thanked when it owes nothing more", async () => {
  const bench = new Bench();
  const node = await bench.node();
  const stage = bench.stage(bench.job("j-1"), [1]);
  await settle();
  node.send({ type: "leave" });
  await settle();
  expect(node.closed).toBeNull();
  node.finish(["out"]);
  await stage;
  await settle();
  expect(node.closed?.kind).toBe("normal");
  expect(bench.fabric.nodes.size).toBe(0);
});

test("a node that leaves and gives back what it has not begun is thanked, too", async () => {
  const bench = new Bench();
  const node = await bench.node();
  const job = bench.job("j-1");
  void bench.stage(job, [1, 2]);
  await settle();
  node.send({ type: "leave" });
  node.send({ type: "availability", slots: 0, released: node.leases.map(({ attempt }) => attempt) });
  await settle();
  expect(node.closed?.kind).toBe("normal");
});

test("a node that leaves is thanked when its job ends first", async () => {
  const bench = new Bench();
  const node = await bench.node();
  const job = bench.job("j-1");
  void bench.stage(job, [1]);
  await settle();
  node.send({ type: "leave" });
  await settle();
  bench.fabric.end(job, "cancelled");
  await settle();
  node.beat();
  await settle();
  expect(node.closed?.kind).toBe("normal");
});

/** Two nodes, of which one has made the held output of a job's only task. */
async function heldOnOne() {
  const bench = new Bench();
  const leaver = await bench.node();
  const job = bench.job("j-1");
  const stage = bench.stage(job, [1]);
  await settle();
  const other = await bench.node();
  const finish = () => leaver.finish(["large"], { held: true }).chunks[0]?.hash ?? null;
  return { bench, leaver, other, job, stage, finish };
}
/** A stage that reads it. */
const readIt = (bench: Bench, job: JobId) =>
  bench.stage(job, [], {
    ordinal: 1,
    inputs: [{ kind: "chunk", chunk: { task: taskKey(job, 0, 0), bucket: 0 } }],
  });

test("a node that leaves is asked for what only it has before it is thanked, and nothing is made again", async () => {
  const { bench, leaver, other, job, stage, finish } = await heldOnOne();
  const hash = finish();
  await stage;
  leaver.send({ type: "leave" });
  await settle();
  expect(leaver.asked.map((chunk) => chunk.hash)).toEqual([hash]);
  expect(leaver.closed).toBeNull();
  leaver.beat();
  await settle();
  expect(leaver.asked).toHaveLength(1);
  await bench.receive(leaver, hash);
  expect(leaver.closed?.kind).toBe("normal");
  const next = readIt(bench, job);
  await settle();
  expect(other.leases.map(({ ordinal }) => ordinal)).toEqual([1]);
  other.finish(["out"]);
  await next;
});

test("what its last task made is acknowledged and brought before a node that leaves is thanked", async () => {
  const { bench, leaver, stage, finish } = await heldOnOne();
  leaver.send({ type: "leave" });
  await settle();
  const gate = Promise.withResolvers<void>();
  bench.journal.gate = gate.promise;
  const hash = finish();
  await settle();
  await bench.receive(leaver, hash);
  expect(leaver.closed).toBeNull();
  gate.resolve();
  await stage;
  await settle();
  expect(leaver.accepted).toHaveLength(1);
  expect(leaver.closed?.kind).toBe("normal");
});

test("a node that leaves is thanked at once where all that read its outputs are done", async () => {
  const { bench, leaver, other, job, stage, finish } = await heldOnOne();
  finish();
  await stage;
  const next = readIt(bench, job);
  await settle();
  const late = [leaver, other].find(({ leases }) => leases.length > 0);
  late?.finish(["out"]);
  await next;
  leaver.send({ type: "leave" });
  await settle();
  expect(leaver.asked).toEqual([]);
  expect(leaver.closed?.kind).toBe("normal");
});

test("a node that goes before its outputs came leaves them lost, made again when something reads them", async () => {
  const { bench, leaver, other, job, stage, finish } = await heldOnOne();
  finish();
  await stage;
  leaver.send({ type: "leave" });
  await settle();
  leaver.close("normal");
  await settle();
  expect(other.leases).toEqual([]);
  const loaded = bench.fabric.load({ task: taskKey(job, 0, 0), bucket: 0 });
  loaded.catch(() => undefined);
  await settle();
  expect(other.leases.map(({ ordinal }) => ordinal)).toEqual([0]);
});

test("a node that leaves and cannot give its outputs, or whose job ends, is thanked all the same", async () => {
  for (const how of ["unavailable", "ended"]) {
    const { bench, leaver, job, stage, finish } = await heldOnOne();
    finish();
    await stage;
    leaver.send({ type: "leave" });
    await settle();
    expect(leaver.closed).toBeNull();
    if (how === "ended") bench.fabric.end(job, "done");
    else leaver.send({ type: "unavailable", chunks: leaver.asked.map(({ key }) => key) });
    await settle();
    expect(leaver.closed?.kind).toBe("normal");
  }
});

test("a name from outside moves no terminal's cursor", async () => {
  const bench = new Bench();
  new FakeNode(bench.nodes, aHello({ name: "\u001b[2Jevil\r\nname" }));
  await settle();
  const [session] = bench.fabric.nodes.values();
  expect(session?.name).toBe("[2Jevil name");
});
