import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { blobHash, taskKey } from "../../../shared/ids.ts";
import { INLINE_BYTES } from "../../../shared/protocol/messages.ts";
import { decodeValue } from "../../../shared/protocol/value-codec.ts";
import { Bench, settle, TestJournal } from "./testing/bench.ts";
import { aHello, FakeNode } from "./testing/fake-node.ts";

/** Too large to travel in a message. */
const large = (text: string): string => text.padEnd(INLINE_BYTES, ".");

test("a result is journalled, synced, and only then acknowledged and counted", async () => {
  const bench = new Bench();
  const node = await bench.node();
  const gate = Promise.withResolvers<void>();
  bench.journal.gate = gate.promise;
  const job = bench.job("j-1");
  let done = false;
  const stage = bench.stage(job, [1]).then((summaries) => {
    done = true;
    return summaries;
  });
  await settle();
  const { attempt } = node.finish(["out"], { summary: 7 });
  await settle();
  expect(bench.journal.events).toEqual(["output j-1/0/0"]);
  expect(node.accepted).toEqual([]);
  expect(done).toBe(false);
  gate.resolve();
  expect(await stage).toEqual([7]);
  await settle();
  expect(bench.journal.events).toEqual(["output j-1/0/0", "synced"]);
  expect(node.accepted).toEqual([attempt]);
  expect(await bench.fabric.load({ task: taskKey(job, 0, 0), bucket: 0 })).toBe("out");
});

test("one sync covers all that came while the last one ran", async () => {
  const bench = new Bench();
  const node = await bench.node();
  const stage = bench.stage(bench.job("j-1"), [1, 2, 3, 4]);
  await settle();
  const gate = Promise.withResolvers<void>();
  bench.journal.gate = gate.promise;
  for (let index = 0; index < 4; index++) node.finish([index]);
  await settle();
  gate.resolve();
  await stage;
  expect(bench.journal.events.filter((event) => event === "synced").length).toBeLessThanOrEqual(2);
});

test("a full disk delays acknowledgements, shows itself, and passes", async () => {
  const bench = new Bench();
  const node = await bench.node();
  const stage = bench.stage(bench.job("j-1"), [1]);
  await settle();
  bench.journal.isFull = true;
  node.finish(["out"]);
  await settle();
  await bench.later(5_000);
  expect(node.accepted).toEqual([]);
  expect(bench.fabric.storageProblem).toContain("No space");
  bench.journal.isFull = false;
  await bench.later(500);
  await stage;
  expect(node.accepted).toHaveLength(1);
  expect(bench.fabric.storageProblem).toBeNull();
});

test("a large broadcast waits for space too, and gives up with its job", async () => {
  const bench = new Bench();
  const job = bench.job("j-1");
  const put = bench.blobs.put.bind(bench.blobs);
  let tries = 0;
  bench.blobs.put = async (...given) => {
    tries++;
    bench.journal.isFull = tries < 3;
    if (bench.journal.isFull) await bench.journal.sync();
    return put(...given);
  };
  const kept = bench.fabric.keepValue(job, 0, large("value"));
  await settle();
  await bench.later(500);
  await bench.later(500);
  await kept;
  expect(tries).toBe(3);
  tries = -1e9;
  const hopeless = bench.fabric.keepValue(job, 1, large("other"));
  hopeless.catch(() => undefined);
  await settle();
  bench.fabric.end(job, "cancelled");
  await bench.later(500);
  await expect(hopeless).rejects.toMatchObject({ code: "StorageFull" });
});

test("a small broadcast travels with its stage, and waits for no disk", async () => {
  const bench = new Bench();
  const node = await bench.node();
  const job = bench.job("j-1");
  bench.blobs.put = () => Promise.reject(new Error("nothing is to be written"));
  await bench.fabric.keepValue(job, 0, "value");
  void bench.stage(job, [1], { ordinal: 1, broadcast: { task: taskKey(job, 0, 0), bucket: 0 } });
  await settle();
  const told = node.stages.get(`${job}/1`)?.broadcast;
  expect(told?.inline && decodeValue(told.inline)).toBe("value");
  expect(await bench.fabric.load({ task: taskKey(job, 0, 0), bucket: 0 })).toBe("value");
});

test("a held output is brought from its holder when it is needed", async () => {
  const bench = new Bench();
  const node = await bench.node();
  const job = bench.job("j-1");
  const stage = bench.stage(job, [1]);
  await settle();
  const { chunks } = node.finish(["large"], { held: true });
  await stage;
  const loaded = bench.fabric.load({ task: taskKey(job, 0, 0), bucket: 0 });
  await settle();
  expect(node.asked.map(({ hash }) => hash)).toEqual([chunks[0]?.hash]);
  await bench.upload(node, chunks[0]?.hash ?? null);
  expect(await loaded).toBe("large");
  expect(bench.journal.outputs(job)[0]?.durable).toBe(true);
});

/** A node that holds the only output of a stage, and the way to load it. */
async function heldOutput() {
  const bench = new Bench();
  const node = await bench.node();
  const job = bench.job("j-1");
  const stage = bench.stage(job, [1]);
  await settle();
  const hash = node.finish(["large"], { held: true }).chunks[0]?.hash ?? null;
  await stage;
  const load = () => bench.fabric.load({ task: taskKey(job, 0, 0), bucket: 0 });
  return { bench, node, job, hash: hash ?? blobHash("0".repeat(64)), load };
}

test("bytes that are only loaded pass by the store, and are asked for again by the next who loads them", async () => {
  const { bench, node, job, hash, load } = await heldOutput();
  for (const times of [1, 2]) {
    const loaded = load();
    await settle();
    expect(node.asked).toHaveLength(times);
    expect(await bench.receive(node, hash)).toBe(false);
    expect(await loaded).toBe("large");
  }
  expect(await bench.blobs.has(hash)).toBe(false);
  expect(bench.journal.outputs(job)[0]?.durable).toBe(false);
});

test("each of two who load the same bytes gets them", async () => {
  const { bench, node, hash, load } = await heldOutput();
  const both = [load(), load()];
  await settle();
  await bench.receive(node, hash);
  expect(node.asked).toHaveLength(2);
  await bench.receive(node, hash);
  expect(await Promise.all(both)).toEqual(["large", "large"]);
});

test("bytes that a node waits for too go to the store, for both", async () => {
  const { bench, node, job, hash, load } = await heldOutput();
  const loaded = load();
  const located = bench.fabric.outputs.locate(hash);
  await settle();
  expect(await bench.receive(node, hash)).toBe(true);
  expect([await loaded, await located]).toEqual(["large", true]);
  expect(await bench.blobs.has(hash)).toBe(true);
  expect(bench.journal.outputs(job)[0]?.durable).toBe(true);
});

test("wrong bytes are refused, and the right ones are waited for", async () => {
  const { bench, node, hash, load } = await heldOutput();
  const loaded = load();
  await settle();
  await expect(bench.receive(node, hash, Uint8Array.of(1, 2))).rejects.toMatchObject({ code: "HashMismatch" });
  await bench.receive(node, hash);
  expect(await loaded).toBe("large");
});

test("equal bytes of two partitions arrive for both at once", async () => {
  const bench = new Bench();
  const node = await bench.node();
  const job = bench.job("j-1");
  const stage = bench.stage(job, [1, 2]);
  await settle();
  const { chunks } = node.finish(["same"], { held: true });
  node.finish(["same"], { held: true });
  await stage;
  const both = [0, 1].map((partition) => bench.fabric.load({ task: taskKey(job, 0, partition), bucket: 0 }));
  await settle();
  await bench.upload(node, chunks[0]?.hash ?? null);
  expect(await Promise.all(both)).toEqual(["same", "same"]);
});

test("a job that ends leaves another one the bytes that both have", async () => {
  const bench = new Bench();
  const [a, b] = [bench.job("j-a"), bench.job("j-b")];
  await bench.fabric.keepValue(a, 0, large("same"));
  await bench.fabric.keepValue(b, 0, large("same"));
  bench.fabric.end(b, "done");
  await settle();
  expect(await bench.fabric.load({ task: taskKey(a, 0, 0), bucket: 0 })).toBe(large("same"));
  const record = bench.fabric.outputs.table.record(taskKey(a, 0, 0));
  const hash = record?.chunks[0]?.hash;
  if (!hash) throw new Error("a kept value has a hash");
  bench.fabric.end(a, "done");
  await settle();
  expect(await bench.blobs.has(hash)).toBe(false);
});

test.each(["refuses", "leaves"])(
  "when the only holder %s, the output is made again and the waiting load resolves",
  async (how) => {
    const bench = new Bench();
    const holder = await bench.node();
    const job = bench.job("j-1");
    const stage = bench.stage(job, [1]);
    await settle();
    const { chunks } = holder.finish(["large"], { held: true });
    await stage;
    const other = await bench.node();
    const loaded = bench.fabric.load({ task: taskKey(job, 0, 0), bucket: 0 });
    await settle();
    const [asked] = holder.asked;
    if (how === "leaves") holder.close("normal");
    else holder.send({ type: "unavailable", chunks: asked ? [asked.key] : [] });
    await settle();
    const maker = [holder, other].find(({ leases }) => leases.length > 0);
    maker?.finish(["large"], { held: true });
    await settle();
    if (maker) await bench.upload(maker, chunks[0]?.hash ?? null);
    expect(await loaded).toBe("large");
  },
);

test("a request for an upload that was lost with its connection is made again", async () => {
  const bench = new Bench();
  const node = await bench.node();
  const job = bench.job("j-1");
  const stage = bench.stage(job, [1]);
  await settle();
  const result = node.finish(["large"], { held: true });
  await stage;
  const loaded = bench.fabric.load({ task: taskKey(job, 0, 0), bucket: 0 });
  node.close("lost");
  await settle();
  const resume = { node: node.id ?? "", secret: node.secret } as { node: NonNullable<FakeNode["id"]>; secret: string };
  const back = new FakeNode(bench.nodes, aHello({ resume, held: node.heldChunks(result) }));
  await settle();
  expect(back.asked).toHaveLength(1);
  for (const [hash, bytes] of node.held) back.held.set(hash, bytes);
  await bench.upload(back, result.chunks[0]?.hash ?? null);
  expect(await loaded).toBe("large");
});

test("a result that is sent again after a reconnect is acknowledged and not counted twice", async () => {
  const bench = new Bench();
  const node = await bench.node();
  const job = bench.job("j-1");
  const stage = bench.stage(job, [1, 2]);
  await settle();
  const result = node.finish(["out"]);
  await settle();
  node.close("lost");
  await settle();
  const resume = { node: node.id ?? "", secret: node.secret } as { node: NonNullable<FakeNode["id"]>; secret: string };
  const running = [result.attempt, ...node.leases.map(({ attempt }) => attempt)];
  const back = new FakeNode(bench.nodes, aHello({ resume, running }));
  back.send({ type: "results", results: [result] });
  await settle();
  expect(back.accepted).toEqual([result.attempt]);
  expect(bench.fabric.stages(job)[0]?.done).toBe(1);
  expect(bench.fabric.shares(job)).toMatchObject([{ tasks: 1 }]);
  for (const lease of [...node.leases]) back.finish(["two"], { lease });
  await stage;
  expect(bench.fabric.shares(job)).toMatchObject([{ tasks: 2 }]);
});

test("a result with a wrong number of chunks or wrong bytes is refused and computed again", async () => {
  const bench = new Bench();
  const node = await bench.node();
  const stage = bench.stage(bench.job("j-1"), [1]);
  await settle();
  const { attempt } = node.finish(["one", "too many"]);
  await settle();
  expect(node.rejected).toEqual([attempt]);
  const [lease] = node.leases;
  if (!lease) throw new Error("the task is leased again");
  const hash = "0".repeat(64) as NonNullable<FakeNode["asked"][number]["hash"]>;
  const wrong = { bytes: 1, hash, inline: new Uint8Array([1]) };
  const common = { ok: true, summary: null, backend: "js", reason: "", fetchMs: 0, runMs: 0, units: 0 } as const;
  node.leases.shift();
  node.send({ type: "results", results: [{ ...common, attempt: lease.attempt, chunks: [wrong] }] });
  await settle();
  expect(node.rejected).toEqual([attempt, lease.attempt]);
  expect(bench.lines.some((line) => line.includes("do not match their hash"))).toBe(true);
  node.finish(["right"]);
  await stage;
});

test("a task that fails for good rejects its stage, and whatever the driver asks for afterwards", async () => {
  const bench = new Bench();
  const node = await bench.node();
  const job = bench.job("j-1");
  const stage = bench.stage(job, [1]);
  await settle();
  node.fail("BadInput", false);
  await expect(stage).rejects.toMatchObject({ code: "BadInput", message: "BadInput on purpose" });
  await expect(bench.stage(job, [1], { ordinal: 1 })).rejects.toMatchObject({ code: "BadInput" });
  await expect(bench.fabric.keepValue(job, 2, 1)).rejects.toMatchObject({ code: "BadInput" });
});

test("a failed job gives up what it waits for, also a chunk that nobody holds any more", async () => {
  const bench = new Bench();
  const node = await bench.node();
  const job = bench.job("j-1");
  const first = bench.stage(job, [1]);
  await settle();
  node.finish(["large"], { held: true });
  await first;
  const second = bench.stage(job, [1], { ordinal: 1 });
  await settle();
  const loaded = bench.fabric.load({ task: taskKey(job, 0, 0), bucket: 0 });
  loaded.catch(() => undefined);
  node.fail("BadInput", false);
  await expect(second).rejects.toMatchObject({ code: "BadInput" });
  await expect(loaded).rejects.toMatchObject({ code: "BadInput" });
});

test("a node stores nothing that no job would delete", async () => {
  const { bench, node, job, hash } = await heldOutput();
  const stranger = Uint8Array.of(1, 2, 3);
  const strange = blobHash(createHash("sha256").update(stranger).digest("hex"));
  await expect(bench.receive(node, strange, stranger)).rejects.toMatchObject({ code: "JobEnded" });
  expect(await bench.blobs.has(strange)).toBe(false);
  const put = bench.blobs.put.bind(bench.blobs);
  bench.blobs.put = async (...given) => {
    bench.fabric.end(job, "cancelled");
    return put(...given);
  };
  await expect(bench.receive(node, hash)).rejects.toMatchObject({ code: "JobEnded" });
  expect(await bench.blobs.has(hash)).toBe(false);
});

test("a job's end is told to nodes, and its blobs go", async () => {
  const bench = new Bench();
  const node = await bench.node();
  const job = bench.job("j-1");
  await bench.fabric.keepValue(job, 0, { big: large("value") });
  const hash = bench.fabric.outputs.table.record(taskKey(job, 0, 0))?.chunks[0]?.hash;
  if (!hash) throw new Error("a kept value has a hash");
  expect(await bench.blobs.has(hash)).toBe(true);
  bench.fabric.end(job, "done");
  await settle();
  expect(node.received.at(-1)).toEqual({ type: "forget", job });
  expect(await bench.blobs.has(hash)).toBe(false);
  await expect(bench.fabric.load({ task: taskKey(job, 0, 0), bucket: 0 })).rejects.toMatchObject({ code: "JobEnded" });
});

test("a job that ends while its stage is being recovered is not begun again", async () => {
  const bench = new Bench();
  const node = await bench.node();
  const job = bench.job("j-1");
  const stage = bench.stage(job, [1, 2]);
  bench.fabric.end(job, "cancelled");
  await expect(stage).rejects.toMatchObject({ code: "Cancelled" });
  await settle();
  expect(node.leases).toEqual([]);
});

test("after a restart durable outputs answer at once, held ones from the node that comes back with them", async () => {
  const first = new Bench();
  const node = await first.node();
  const before = first.stage(first.job("j-1"), [1, 2]);
  await settle();
  node.finish(["durable"], { summary: 1 });
  const held = node.finish(["held"], { held: true, summary: 2 });
  await before;

  const journal = Object.assign(new TestJournal(), { incarnation: 2 });
  const second = new Bench(journal);
  const job = second.job("j-1", first.journal.outputs(second.job("j-1")));
  expect(await second.stage(job, [1, 2])).toEqual([1, 2]);
  expect(await second.fabric.load({ task: taskKey(job, 0, 0), bucket: 0 })).toBe("durable");
  const waits = second.fabric.waitsForNodes(job);
  const loaded = second.fabric.load({ task: taskKey(job, 0, 1), bucket: 0 });
  await waits; // Nodes are let in now: else nobody could bring it.
  const back = new FakeNode(second.nodes, aHello({ held: node.heldChunks(held) }));
  await settle();
  expect(back.asked).toHaveLength(1);
  for (const [hash, bytes] of node.held) back.held.set(hash, bytes);
  await second.upload(back, held.chunks[0]?.hash ?? null);
  expect(await loaded).toBe("held");
  expect(back.leases).toEqual([]);
});

test("a replay that waits for something else lets nodes in after a time", async () => {
  const bench = new Bench();
  const job = bench.job("j-1");
  let isOver = false;
  const waits = bench.fabric.waitsForNodes(job).then(() => {
    isOver = true;
  });
  await bench.later(9_000);
  expect(isOver).toBe(false);
  await bench.later(1_000);
  await waits;
  expect(isOver).toBe(true);
});

test("two jobs run at once, and the end of one leaves the other alone", async () => {
  const bench = new Bench();
  const node = await bench.node();
  const [a, b] = [bench.job("j-a"), bench.job("j-b")];
  const [stageA, stageB] = [bench.stage(a, [1]), bench.stage(b, [1])];
  await settle();
  expect(node.leases.map(({ job }) => job).sort()).toEqual([a, b]);
  bench.fabric.end(a, "cancelled");
  await expect(stageA).rejects.toMatchObject({ code: "Cancelled" });
  await settle();
  expect(node.leases.map(({ job }) => job)).toEqual([b]);
  node.finish(["b"]);
  await stageB;
});

test("a stage without inputs is done at once, and a reduce of nothing gets nothing", async () => {
  const bench = new Bench();
  const job = bench.job("j-1");
  expect(await bench.stage(job, [])).toEqual([]);
  const node = await bench.node();
  const reduce = bench.stage(job, [], {
    ordinal: 1,
    kind: "reduce",
    inputs: [{ kind: "chunks", chunks: [] }],
  });
  await settle();
  expect(node.leases[0]?.input).toEqual({ kind: "chunks", chunks: [] });
  node.finish(["empty"]);
  await reduce;
});

test("nothing happens after the fabric is closed", async () => {
  const bench = new Bench();
  const node = await bench.node();
  const stage = bench.stage(bench.job("j-1"), [1]);
  await settle();
  bench.nodes.close();
  bench.fabric.close();
  await settle();
  expect(node.closed?.kind).toBe("stopping");
  expect(bench.clock.next()).toBeUndefined();
  expect(await Promise.race([stage, Promise.resolve("still waiting")])).toBe("still waiting");
});
