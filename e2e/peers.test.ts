import type { Page } from "playwright-core";
import { afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { DATA_BYTES, decodePeerFrame } from "../client/transport/peer/wire.ts";
import { jobId } from "../shared/ids.ts";
import type { JobView } from "../shared/protocol/api.ts";
import type { ShuffleMode } from "../shared/protocol/shuffle.ts";
import type { Value } from "../shared/value.ts";
import { Cluster, hashes, madeAgain, nodesByTask } from "./support/cluster.ts";
import { kindling } from "./support/processes.ts";
import { until } from "./support/until.ts";

/** Chunks of some twenty kilobytes: less than a frame. */
const JOB: Record<string, Value> = { tuples: 4_000_000, keyLength: 5, partitions: 12, seed: 5 };

let expected: Record<string, string>;
let cluster: Cluster;

beforeAll(async () => {
  const options = ["--tuples", "4000000", "--key-length", "5", "--partitions", "12", "--seed", "5"];
  const { stdout } = await kindling(["run", "string-count", ...options, "--json"]);
  expected = hashes(JSON.parse(stdout) as { artifacts: { name: string; sha256: string }[] });
});
beforeEach(async () => {
  cluster = await Cluster.start({ host: "0.0.0.0" });
});
afterEach(() => cluster.close());

async function run(shuffle: ShuffleMode, params = JOB): Promise<JobView> {
  return cluster.result(await cluster.client.submit({ workload: "string-count", params, shuffle }));
}

function bytesOf({ shuffle }: JobView): { peer: number; relay: number; local: number; total: number } {
  if (shuffle === undefined) throw new Error("the job does not tell how its chunks came");
  return { ...shuffle, total: shuffle.peer + shuffle.relay + shuffle.local };
}

test("two tabs and a headless node shuffle from peer to peer, past the coordinator", async () => {
  await cluster.addNode("headless");
  await cluster.addTab("tab-1");
  await cluster.addTab("tab-2");
  const job = await run("peer");
  const { peer, relay, total } = bytesOf(job);
  expect(hashes(job)).toEqual(expected);
  expect(peer).toBeGreaterThan(0.3 * total);
  expect(relay).toBeLessThan(0.05 * total);
});

/** Has a page count the connections that it makes; `blocked` ones find no way, as behind a firewall that lets no UDP through. */
async function countConnections(page: Page, blocked: boolean): Promise<() => Promise<number>> {
  await page.evaluate((isBlocked) => {
    const construct = (Original: typeof RTCPeerConnection, [config]: [RTCConfiguration?]): RTCPeerConnection => {
      (globalThis as unknown as { made: number }).made++;
      return new Original({ ...config, ...(isBlocked ? { iceTransportPolicy: "relay" } : {}) });
    };
    Object.assign(globalThis, { made: 0, RTCPeerConnection: new Proxy(RTCPeerConnection, { construct }) });
  }, blocked);
  return () => page.evaluate(() => (globalThis as unknown as { made: number }).made);
}

test("a node that is relay only makes no connection and shows no address; the bytes come all the same", async () => {
  await cluster.addNode("open");
  await cluster.addNode("shy", 1, ["--relay-only"]);
  let connections = (): Promise<number> => Promise.resolve(Number.NaN);
  const page = await cluster.addTab("shy-tab", cluster.joinLink, 1, async (tab) => {
    connections = await countConnections(tab, false);
    await tab.getByLabel("Do not connect to other volunteers").check();
  });
  const job = await run("peer");
  const { peer, relay } = bytesOf(job);
  expect(hashes(job)).toEqual(expected);
  expect({ peer, connections: await connections() }).toEqual({ peer: 0, connections: 0 });
  expect(relay).toBeGreaterThan(0);
  const { nodes } = await cluster.client.overview();
  const lacks = Object.fromEntries(nodes.map((node) => [node.name, node.lacks.join("; ")]));
  expect(lacks["shy"]).toMatch(/connections to other nodes/);
  expect(lacks["shy-tab"]).toMatch(/connections to other nodes/);
  expect(lacks["open"]).not.toMatch(/connections/);
  await page.close();
});

test("where WebRTC is blocked the coordinator relays, within five seconds and exactly", async () => {
  await cluster.addNode("open");
  let connections = (): Promise<number> => Promise.resolve(0);
  await cluster.addTab("walled", cluster.joinLink, 1, async (tab) => {
    connections = await countConnections(tab, true);
  });
  const relayed = await run("relay");
  const blocked = await run("peer");
  expect([hashes(relayed), hashes(blocked)]).toEqual([expected, expected]);
  expect(await connections()).toBeGreaterThan(0);
  expect(bytesOf(blocked)).toMatchObject({ peer: 0 });
  // Both sides try once and wait at the same time; what is beyond is the noise of the machine.
  expect(blocked.seconds).toBeLessThan(2 * relayed.seconds + 7);
});

/** Has a page close its first connection once that has brought a full frame, and keep the requests that it sends to peers. */
async function breakFirstConnection(page: Page): Promise<() => Promise<number[][]>> {
  await page.evaluate((dataBytes) => {
    const requests: number[][] = [];
    let broken: RTCDataChannel | undefined;
    const watch = (connection: RTCPeerConnection, channel: RTCDataChannel): RTCDataChannel => {
      channel.addEventListener("message", (event: MessageEvent<ArrayBuffer>) => {
        // What had come when it was closed would be told all the same.
        if (channel === broken) event.stopImmediatePropagation();
        if (broken !== undefined || event.data.byteLength < dataBytes) return;
        broken = channel;
        connection.close();
      });
      const send = channel.send.bind(channel) as (frame: Uint8Array<ArrayBuffer>) => void;
      channel.send = (frame: unknown) => {
        if (!(frame instanceof Uint8Array)) throw new Error("not a frame");
        // The first byte of a request.
        if (frame[0] === 1) requests.push([...frame]);
        send(new Uint8Array(frame));
      };
      return channel;
    };
    class Watched extends RTCPeerConnection {
      constructor(config?: RTCConfiguration) {
        super(config);
        this.addEventListener("datachannel", ({ channel }) => watch(this, channel));
      }
      override createDataChannel(label: string, options?: RTCDataChannelInit): RTCDataChannel {
        return watch(this, super.createDataChannel(label, options));
      }
    }
    Object.assign(globalThis, { requests, RTCPeerConnection: Watched });
  }, DATA_BYTES);
  return () => page.evaluate(() => (globalThis as unknown as { requests: number[][] }).requests);
}

test("a connection that breaks in the middle of a chunk is made again, and brings what is missing", async () => {
  await cluster.addNode("stays");
  let requests = (): Promise<number[][]> => Promise.resolve([]);
  await cluster.addTab("breaks", cluster.joinLink, 1, async (tab) => {
    requests = await breakFirstConnection(tab);
  });
  // Two parts make chunks of several frames.
  const job = await run("peer", { ...JOB, partitions: 2 });
  expect(hashes(job)).toEqual(expected);
  const { relay, total } = bytesOf(job);
  expect(relay).toBeLessThan(0.05 * total);

  const sent = (await requests()).map((frame) => decodePeerFrame(new Uint8Array(frame)));
  const asked = sent.flatMap((message) => (message.kind === "request" ? [message] : []));
  const resumed = asked.filter(({ offset }) => offset > 0);
  expect(resumed.length).toBeGreaterThan(0);
  // What was resumed had been asked for from its start.
  const begun = asked.filter(({ offset }) => offset === 0).map(({ key }) => key);
  expect(begun).toEqual(expect.arrayContaining(resumed.map(({ key }) => key)));
  // Nothing was computed again for it.
  expect(madeAgain(cluster.executions())).toEqual([]);
});

test("a peer that is killed in the middle of the shuffle costs its own parts, and nothing else", async () => {
  // All of them keep logs of what they ran.
  const victim = await cluster.addNode("victim");
  await cluster.addNode("stays");
  await cluster.addNode("stays too");
  const id = await cluster.client.submit({ workload: "string-count", params: JOB, shuffle: "peer" });
  await until("the shuffle is under way", async () => {
    const { state, stages } = await cluster.client.job(jobId(id));
    if (state !== "running") throw new Error(`${id} has ${state} before it could be disturbed`);
    const reduce = stages.find(({ kind }) => kind === "reduce");
    return reduce !== undefined && reduce.done > 0 && reduce.done < reduce.tasks / 2;
  });
  await victim.end("SIGKILL");
  const job = await cluster.result(id);
  expect(hashes(job)).toEqual(expected);
  expect(bytesOf(job).peer).toBeGreaterThan(0);

  const executions = cluster.executions();
  const runs = nodesByTask(executions);
  const ofVictim = [...runs.keys()].filter((task) => runs.get(task)?.includes("victim"));
  const again = madeAgain(executions).map(({ attempt }) => attempt.split("#")[0] ?? "");
  expect(again.filter((task) => !ofVictim.includes(task))).toEqual([]);
  expect(again).toEqual([...new Set(again)]);
  // Its parts are needed by all of the merges that are left; parts of the others, though they lie on the nodes too, are not made again.
  const shuffle = job.stages.find(({ kind }) => kind === "shuffle")?.ordinal;
  const parts = (tasks: readonly string[]) => tasks.filter((task) => task.startsWith(`${id}/${shuffle}/`)).sort();
  expect(parts(again)).toEqual(parts(ofVictim));
  expect(parts(again).length).toBeGreaterThan(0);
  expect(parts(again).length).toBeLessThan(parts([...runs.keys()]).length);
});
