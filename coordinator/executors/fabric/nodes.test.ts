import { expect, test } from "vitest";
import { nodeId } from "../../../shared/ids.ts";
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

test("a name from outside moves no terminal's cursor", async () => {
  const bench = new Bench();
  new FakeNode(bench.nodes, aHello({ name: "\u001b[2Jevil\r\nname" }));
  await settle();
  const [session] = bench.fabric.nodes.values();
  expect(session?.name).toBe("[2Jevil name");
});
