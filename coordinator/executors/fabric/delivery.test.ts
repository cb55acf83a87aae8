import { beforeEach, expect, test } from "vitest";
import { KindlingError } from "../../../shared/errors.ts";
import { blobHash, type ChunkKey, chunkKey, jobId, type NodeId, nodeId, taskKey } from "../../../shared/ids.ts";
import { ManualClock } from "../../../shared/testing/manual-clock.ts";
import { ChunkTable } from "./chunks.ts";
import { Delivery } from "./delivery.ts";

const TASK = taskKey(jobId("j-1"), 0, 0);
const KEY = chunkKey(TASK, 0);
const HASH = blobHash("0f".repeat(32));
const [ONE, TWO] = [nodeId("n-1"), nodeId("n-2")];

let clock: ManualClock;
let table: ChunkTable;
let holders: NodeId[];
let asked: NodeId[];
let missing: (NodeId | null)[];
let delivery: Delivery;
beforeEach(() => {
  clock = new ManualClock();
  table = new ChunkTable();
  const chunks = [{ bytes: 70_000, hash: HASH }];
  table.add({ task: TASK, chunks, durable: false, summary: null, backend: "js", reason: "", runMs: 0 });
  [holders, asked, missing] = [[], [], []];
  delivery = new Delivery(
    table,
    {
      of: () => holders,
      ask: (node) => asked.push(node),
      missing: (_key: ChunkKey, node) => missing.push(node),
    },
    clock,
  );
});

const ref = () => table.ref(TASK, 0);
const settled = async (promise: Promise<unknown>): Promise<string> => {
  const later = new Promise<string>((resolve) => setImmediate(() => resolve("waits")));
  return Promise.race([promise.then(() => "came").catch((error: unknown) => (error as KindlingError).code), later]);
};
const arrive = (): void => {
  table.markStored(HASH);
  delivery.arrived(KEY);
};

test("a holder is asked, once for all who want the chunk, and again when it does not answer", async () => {
  holders = [ONE, TWO];
  const [one, two] = [delivery.bring(ref()), delivery.bringHeld(ref())];
  expect(asked).toEqual([ONE]);
  clock.advance(10_000);
  expect(asked).toEqual([ONE, TWO]);
  arrive();
  expect(await Promise.all([settled(one), settled(two)])).toEqual(["came", "came"]);
  expect(clock.next()).toBeUndefined();
});

test("where no node has it, the coordinator waits until it was made again; a node hears so at once", async () => {
  const [own, forNode] = [delivery.bring(ref()), delivery.bringHeld(ref())];
  expect(await settled(forNode)).toBe("InputUnavailable");
  expect(await settled(own)).toBe("waits");
  expect(missing).toEqual([null]);
  holders = [TWO];
  delivery.holdersChanged();
  expect(asked).toEqual([TWO]);
  arrive();
  expect(await settled(own)).toBe("came");
});

test("a node that waits hears when the last holder is gone, and nothing is asked for then", async () => {
  holders = [ONE];
  const forNode = delivery.bringHeld(ref());
  expect(await settled(forNode)).toBe("waits");
  holders = [];
  delivery.holdersChanged();
  expect(await settled(forNode)).toBe("InputUnavailable");
  expect(missing).toEqual([null]);
  holders = [TWO];
  delivery.holdersChanged();
  expect(asked).toEqual([ONE]);
  expect(clock.next()).toBeUndefined();
});

test("a node that waits with the coordinator hears it too, and may ask anew when the chunk is back", async () => {
  holders = [ONE];
  const own = delivery.bring(ref());
  const first = delivery.bringHeld(ref());
  holders = [];
  delivery.refused(KEY, ONE);
  expect(await settled(first)).toBe("InputUnavailable");
  expect(missing).toEqual([ONE, null]);
  holders = [TWO];
  delivery.holdersChanged();
  const second = delivery.bringHeld(ref());
  expect(await settled(second)).toBe("waits");
  arrive();
  expect([await settled(own), await settled(second)]).toEqual(["came", "came"]);
});

test("the end of its job ends the wait", async () => {
  holders = [ONE];
  const own = delivery.bring(ref());
  delivery.end(
    () => true,
    () => new KindlingError("JobEnded", "over"),
  );
  expect(await settled(own)).toBe("JobEnded");
  expect(clock.next()).toBeUndefined();
});

test("what is only kept from being lost is stored, and not made again where no node has it", async () => {
  holders = [ONE];
  const kept = delivery.keep(ref());
  expect(asked).toEqual([ONE]);
  expect(delivery.isForUsAlone(KEY)).toBe(false);
  holders = [];
  delivery.holdersChanged();
  expect(await settled(kept)).toBe("InputUnavailable");
  expect(missing).toEqual([]);
  void delivery.keep(ref()).catch(() => undefined);
  expect(missing).toEqual([]);
});

test("who waits for what is also only kept hears of it, and has it made again", async () => {
  holders = [ONE];
  const [kept, forNode] = [delivery.keep(ref()), delivery.bringHeld(ref())];
  holders = [];
  delivery.holdersChanged();
  expect(await Promise.all([settled(kept), settled(forNode)])).toEqual(["InputUnavailable", "InputUnavailable"]);
  expect(missing).toEqual([null]);
});
