import { expect, test } from "vitest";
import { attemptId, blobHash, type ChunkKey, chunkKey, jobId, taskKey } from "../../shared/ids.ts";
import type { ChunkRef, Lease, StageSpec } from "../../shared/protocol/messages.ts";
import type { ShuffleMode } from "../../shared/protocol/shuffle.ts";
import { ManualClock } from "../../shared/testing/manual-clock.ts";
import type { PeerFetch } from "../transport/peer/exchange.ts";
import type { DataPlane } from "./data-plane.ts";
import { HeldOutputs } from "./held-outputs.ts";
import { type InputOptions, Inputs, type PreparedInput } from "./inputs.ts";

const JOB = jobId("job-1");
const HASH = blobHash("0f".repeat(32));
const PEER = "b".repeat(32);
const BIG = 100_000;
const key = (partition: number): ChunkKey => chunkKey(taskKey(JOB, 0, partition), 0);
const ref = (partition: number, more: Partial<ChunkRef> = {}): ChunkRef => ({
  key: key(partition),
  bytes: BIG,
  hash: HASH,
  ...more,
});

const leaseOf = (partition: number, chunks: ChunkRef[]): Lease => ({
  attempt: attemptId(taskKey(JOB, 1, partition), 1),
  job: JOB,
  ordinal: 1,
  partition,
  input: { kind: "chunks", chunks },
});

const inputsOver = (plane: DataPlane, held = new HeldOutputs(1e9), peers: Pick<InputOptions, "peers"> = {}): Inputs =>
  new Inputs({
    connection: { clock: new ManualClock(), plane: () => Promise.resolve(plane), isJoined: () => true },
    held,
    ...peers,
    lifetime: new AbortController().signal,
    cacheBytes: 1e6,
    count: () => {},
  });

interface Surroundings {
  /** What a peer answers. */
  readonly peer?: (ref: ChunkRef) => PeerFetch;
  readonly held?: HeldOutputs;
}

/** Prepares a reduce of these chunks; tells how each way was used. */
async function prepare(
  shuffle: ShuffleMode,
  chunks: ChunkRef[],
  { peer, held = new HeldOutputs(1e9) }: Surroundings = {},
): Promise<{ prepared: PreparedInput; relayed: { key: ChunkKey; start: number }[]; asked: ChunkKey[] }> {
  const relayed: { key: ChunkKey; start: number }[] = [];
  const asked: ChunkKey[] = [];
  const plane = {
    bundle: () => Promise.resolve(new Uint8Array(1)),
    chunk: (wanted: ChunkRef, _signal: AbortSignal, start?: Uint8Array) => {
      relayed.push({ key: wanted.key, start: start?.byteLength ?? 0 });
      return Promise.resolve({ encoded: new Uint8Array(wanted.bytes).fill(1) });
    },
  } as Partial<DataPlane> as DataPlane;
  const fetch = (wanted: ChunkRef): Promise<PeerFetch> => {
    asked.push(wanted.key);
    return Promise.resolve(peer === undefined ? givesPart() : peer(wanted));
  };
  const inputs = inputsOver(plane, held, peer === undefined ? {} : { peers: { fetch } });
  const stage = { bundle: HASH, broadcast: null, shuffle } as Partial<StageSpec> as StageSpec;
  const prepared = await inputs.prepare(leaseOf(0, chunks), stage, new AbortController().signal);
  return { prepared, relayed, asked };
}

const gives = (wanted: ChunkRef): PeerFetch => ({ complete: true, bytes: new Uint8Array(wanted.bytes).fill(2) });
const givesPart = (): PeerFetch => ({ complete: false, start: new Uint8Array(40_000) });

test("each chunk counts by the way it came: inline and from the coordinator, from here, from a peer", async () => {
  const held = new HeldOutputs(1e9);
  held.hold(
    attemptId(taskKey(JOB, 0, 1), 1),
    { key: key(1), bytes: BIG, hash: HASH },
    { encoded: new Uint8Array(BIG) },
  );
  const chunks = [
    ref(0, { bytes: 3, inline: Uint8Array.of(1, 2, 3) }),
    ref(1, { holders: [PEER] }),
    ref(2),
    ref(3, { holders: [PEER] }),
  ];
  const { prepared, relayed, asked } = await prepare("peer", chunks, { peer: gives, held });
  expect(prepared.fetched).toEqual({ relay: 3 + BIG, local: BIG, peer: BIG });
  expect(relayed).toEqual([{ key: key(2), start: 0 }]);
  expect(asked).toEqual([key(3)]);
});

test("what a peer did not finish is finished by the coordinator", async () => {
  const { prepared, relayed } = await prepare("peer", [ref(0, { holders: [PEER] })], { peer: givesPart });
  expect(relayed).toEqual([{ key: key(0), start: 40_000 }]);
  expect(prepared.fetched).toEqual({ relay: BIG - 40_000, local: 0, peer: 40_000 });
});

test("a relayed job asks no peer, and neither does a node that has none", async () => {
  const holders = [PEER];
  expect((await prepare("relay", [ref(0, { holders })], { peer: gives })).asked).toEqual([]);
  const without = await prepare("peer", [ref(0, { holders })]);
  expect(without.relayed).toHaveLength(1);
});

test("where it suits, small chunks come through the coordinator", async () => {
  const chunks = [ref(0, { bytes: 1_000, holders: [PEER] }), ref(1, { holders: [PEER] })];
  const { asked, relayed } = await prepare("auto", chunks, { peer: gives });
  expect(asked).toEqual([key(1)]);
  expect(relayed.map((chunk) => chunk.key)).toEqual([key(0)]);
});

test("requests that may wait for other nodes leave some of a browser's connections to what is sent", async () => {
  const counts = { underWay: 0, most: 0 };
  const plane = {
    bundle: () => Promise.resolve(new Uint8Array(1)),
    chunk: async (wanted: ChunkRef) => {
      counts.most = Math.max(counts.most, ++counts.underWay);
      await new Promise<void>((resolve) => setImmediate(resolve));
      counts.underWay--;
      return { encoded: new Uint8Array(wanted.bytes) };
    },
  } as Partial<DataPlane> as DataPlane;
  const inputs = inputsOver(plane);
  const chunks = Array.from({ length: 20 }, (_, partition) => ref(partition, { bytes: 10 }));
  const { signal } = new AbortController();
  const stage = { bundle: HASH, broadcast: null } as Partial<StageSpec> as StageSpec;
  await Promise.all([0, 1].map((partition) => inputs.prepare(leaseOf(partition, chunks), stage, signal)));
  expect(counts).toEqual({ underWay: 0, most: 4 });
});
