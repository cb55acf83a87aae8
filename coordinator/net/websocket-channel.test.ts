import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { systemClock } from "../../shared/clock.ts";
import { jobId } from "../../shared/ids.ts";
import type { CloseReason, CoordinatorChannel } from "../../shared/protocol/channel.ts";
import { decodeFromCoordinator, encodeFrame } from "../../shared/protocol/frames.ts";
import type { ToCoordinator, ToNode } from "../../shared/protocol/messages.ts";
import { socketChannel } from "../../shared/protocol/socket-channel.ts";
import { channelContract } from "../../shared/testing/channel.contract.ts";
import { CHANNEL_LIMITS, type ChannelLimits, coordinatorChannel } from "./websocket-channel.ts";

let server: WebSocketServer | undefined;

afterEach(() => {
  for (const client of server?.clients ?? []) client.terminate();
  server?.close();
  server = undefined;
});

async function pair(limits: Partial<ChannelLimits> = {}, onError: (error: unknown) => void = () => {}) {
  server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: false });
  await once(server, "listening");
  const connected = once(server, "connection") as Promise<[WebSocket]>;
  const peer = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const open = once(peer, "open");
  const [socket] = await connected;
  const coordinator = coordinatorChannel(socket, { ...CHANNEL_LIMITS, ...limits }, systemClock, onError);
  await open;
  return { peer, socket, coordinator };
}

channelContract("WebSocket of the coordinator", async () => {
  const { peer, coordinator } = await pair();
  const node = socketChannel<ToCoordinator, ToNode>(peer, { decode: decodeFromCoordinator });
  return { node, coordinator, dispose: () => {} };
});

const closed = (channel: CoordinatorChannel): Promise<CloseReason> =>
  new Promise((resolve) => channel.onClose(resolve));
const codeAt = async (peer: WebSocket): Promise<number> => ((await once(peer, "close")) as [number])[0];

test("more messages than the limit close the connection, fewer do not", async () => {
  const { peer, coordinator } = await pair({ messagesPerSecond: 0, messageBurst: 5 });
  let received = 0;
  coordinator.onMessage(() => received++);
  const leave = encodeFrame({ type: "leave" });
  for (let sent = 0; sent < 6; sent++) peer.send(leave);
  expect(await codeAt(peer)).toBe(4009);
  expect(received).toBe(5);
});

test("a peer that does not read is dropped once its buffer is full, not later", async () => {
  const { peer, socket, coordinator } = await pair({ sendBufferBytes: 1024 * 1024 });
  peer.pause();
  const end = closed(coordinator);
  const message: ToNode = {
    type: "assign",
    stages: [],
    leases: [],
  };
  const big = {
    ...message,
    leases: [
      {
        attempt: "a/0/0#1",
        job: jobId("a"),
        ordinal: 0,
        partition: 0,
        input: { kind: "value", value: new Uint8Array(256 * 1024) },
      },
    ],
  } as unknown as ToNode;
  let most = 0;
  let ended = false;
  void end.then(() => (ended = true));
  for (let sent = 0; sent < 1000 && !ended; sent++) {
    coordinator.send(big);
    most = Math.max(most, socket.bufferedAmount);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(await end).toMatchObject({ kind: "limit" });
  expect(most).toBeLessThan(2 * 1024 * 1024);
});

test("an error in the receiver ends that connection alone", async () => {
  const errors: unknown[] = [];
  const { peer, coordinator } = await pair({}, (error) => errors.push(error));
  coordinator.onMessage(() => {
    throw new Error("a bug");
  });
  peer.send(encodeFrame({ type: "leave" }));
  expect(await codeAt(peer)).toBe(4008);
  expect(errors).toEqual([new Error("a bug")]);
});
