import { afterEach, expect, test } from "vitest";
import { type JobId, jobId } from "../../shared/ids.ts";
import { HIGH_BYTES, type Incoming, type PeerChannel, type PeerTransport } from "../transport/peer/channel.ts";
import { FakeChannel } from "../transport/peer/testing/fake-channel.ts";
import { peersOverPort, servePeers } from "./peer-port.ts";

const JOB = jobId("j-1");
const PEER = "b".repeat(32);
const identity = { id: "a".repeat(32), token: "token" };
const ports: MessagePort[] = [];
afterEach(() => {
  for (const port of ports.splice(0)) port.close();
});

/** A worker and a page that are joined by a port; the page's transport is this test's. */
function setup() {
  const { port1, port2 } = new MessageChannel();
  ports.push(port1, port2);
  const page = {
    listens: 0,
    closes: 0,
    incoming: undefined as Incoming | undefined,
    connect: (_signal: AbortSignal): Promise<PeerChannel> => Promise.reject(new Error("nobody is there")),
  };
  servePeers(port1, (given, incoming): PeerTransport => {
    expect(given).toEqual(identity);
    page.incoming = incoming;
    return {
      listen: () => void page.listens++,
      connect: (_peer, _introduction, signal) => page.connect(signal),
      close: () => void page.closes++,
    };
  });
  const taken: { peer: string; job: JobId; channel: PeerChannel }[] = [];
  const transport = peersOverPort(port2)(identity, (peer, job, channel) => taken.push({ peer, job, channel }));
  return { page, taken, transport };
}

/** Until the other side of the port has done it. */
async function until(done: () => boolean): Promise<void> {
  for (let turn = 0; !done(); turn++) {
    if (turn === 1000) throw new Error("it does not happen");
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}

const connect = (transport: PeerTransport, signal = new AbortController().signal): Promise<PeerChannel> =>
  transport.connect(PEER, { job: JOB, ticket: "t" }, signal);

test("frames pass both ways through the page", async () => {
  const { page, transport } = setup();
  const [near, far] = FakeChannel.pair();
  page.connect = () => Promise.resolve(near);
  const channel = await connect(transport);
  const heard: number[] = [];
  channel.onFrame((frame) => heard.push(...frame));
  channel.send(Uint8Array.of(1, 2, 3));
  await until(() => near.sent.length === 1);
  far.send(Uint8Array.of(4, 5));
  far.deliver();
  await until(() => heard.length === 2);
  expect([...(near.sent[0] ?? [])]).toEqual([1, 2, 3]);
  expect(heard).toEqual([4, 5]);
});

test("the worker knows how much waits in the page, and hears when it may go on", async () => {
  const { page, transport } = setup();
  const [near] = FakeChannel.pair();
  page.connect = () => Promise.resolve(near);
  const channel = await connect(transport);
  let drained = 0;
  channel.onDrain(() => drained++);
  const frames = HIGH_BYTES / 65_536;
  for (let count = 0; count < frames; count++) channel.send(new Uint8Array(65_536));
  expect(channel.bufferedBytes).toBe(HIGH_BYTES);
  await until(() => near.sent.length === frames);
  const before = drained;
  near.deliver();
  await until(() => drained > before);
  expect(channel.bufferedBytes).toBeLessThan(HIGH_BYTES / 2);
});

test("a connection that others open comes with who and for what, and keeps early frames", async () => {
  const { page, taken, transport } = setup();
  transport.listen();
  await until(() => page.listens === 1);
  const [near, far] = FakeChannel.pair();
  page.incoming?.(PEER, JOB, near);
  far.send(Uint8Array.of(7));
  far.deliver();
  await until(() => taken.length === 1);
  expect(taken[0]).toMatchObject({ peer: PEER, job: JOB });
  // It came while nobody received.
  await new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)));
  const heard: number[] = [];
  taken[0]?.channel.onFrame((frame) => heard.push(...frame));
  await until(() => heard.length === 1);
});

test("the end of a connection is told to the other side, whoever ends it", async () => {
  const { page, transport } = setup();
  const pairs = [FakeChannel.pair(), FakeChannel.pair()];
  let next = 0;
  page.connect = () => Promise.resolve((pairs[next++] ?? FakeChannel.pair())[0]);
  const [byPage, byWorker] = [await connect(transport), await connect(transport)];
  let ended = 0;
  byPage.onClose(() => ended++);
  byWorker.onClose(() => ended++);
  pairs[0]?.[1].close();
  byWorker.close();
  await until(() => ended === 2 && pairs[1]?.[0].isClosed === true);
  expect([byPage.bufferedBytes, byWorker.bufferedBytes]).toEqual([0, 0]);
});

test("a connection that cannot be made rejects, and one that is given up is abandoned in the page", async () => {
  const { page, transport } = setup();
  await expect(connect(transport)).rejects.toThrow("nobody is there");
  let abandoned = false;
  page.connect = (signal) =>
    new Promise((_, reject) =>
      signal.addEventListener("abort", () => {
        abandoned = true;
        reject(signal.reason as Error);
      }),
    );
  const controller = new AbortController();
  const connecting = connect(transport, controller.signal);
  controller.abort(new Error("too late"));
  await expect(connecting).rejects.toThrow("too late");
  await until(() => abandoned);
});

test("closing closes everything in the page", async () => {
  const { page, transport } = setup();
  const [near] = FakeChannel.pair();
  page.connect = () => Promise.resolve(near);
  const channel = await connect(transport);
  let ended = false;
  channel.onClose(() => {
    ended = true;
  });
  transport.close();
  await until(() => ended && page.closes === 1);
  expect(near.isClosed).toBe(true);
});
