import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { type WebSocket as ServerSocket, WebSocketServer } from "ws";
import { type CloseReason, CLOSE_CODES } from "../../shared/protocol/channel.ts";
import { decodeFromNode, encodeFrame } from "../../shared/protocol/frames.ts";
import { PROTOCOL_VERSION, type ToCoordinator, type ToNode } from "../../shared/protocol/messages.ts";
import { socketChannel } from "../../shared/protocol/socket-channel.ts";
import { channelContract } from "../../shared/testing/channel.contract.ts";
import { connectWebSocket } from "./websocket.ts";

async function listen(): Promise<{ server: WebSocketServer; url: string }> {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1", path: "/api/connect" });
  await once(server, "listening");
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

function stop(server: WebSocketServer): void {
  for (const client of server.clients) client.terminate();
  server.close();
}

/** What a node's channel says when its coordinator behaves as `act` does. */
async function closeReason(act: (socket: ServerSocket) => void): Promise<CloseReason> {
  const { server, url } = await listen();
  server.once("connection", act);
  try {
    return await new Promise((resolve) => connectWebSocket(url).onClose(resolve));
  } finally {
    stop(server);
  }
}

channelContract("WebSocket of a node", async () => {
  const { server, url } = await listen();
  const connected = once(server, "connection");
  const node = connectWebSocket(url);
  const [socket] = (await connected) as [ServerSocket];
  const coordinator = socketChannel<ToNode, ToCoordinator>(socket, { decode: decodeFromNode });
  return { node, coordinator, dispose: () => stop(server) };
});

test.each(Object.entries(CLOSE_CODES).filter(([kind]) => kind !== "lost"))(
  "the close code of %s is understood",
  async (kind, code) => {
    expect(await closeReason((socket) => socket.close(code, "why"))).toEqual({ kind, detail: "why" });
  },
);

test("a connection that breaks is lost, as is one to nobody", async () => {
  expect(await closeReason((socket) => socket.terminate())).toMatchObject({ kind: "lost" });
  const { server, url } = await listen();
  stop(server);
  const reason = await new Promise<CloseReason>((resolve) => connectWebSocket(url).onClose(resolve));
  expect(reason.kind).toBe("lost");
});

test("a coordinator that talks nonsense is left", async () => {
  const nonsense = [Uint8Array.of(0xc1), "text", encodeFrame({ type: "leave" })];
  for (const frame of nonsense) {
    expect(await closeReason((socket) => socket.send(frame))).toMatchObject({ kind: "malformed" });
  }
});

test("a message sent before the connection is up waits for it", async () => {
  const { server, url } = await listen();
  const first = new Promise<Uint8Array>((resolve) =>
    server.once("connection", (socket) => socket.once("message", (data: Buffer) => resolve(new Uint8Array(data)))),
  );
  const hello: ToCoordinator = {
    type: "hello",
    protocol: PROTOCOL_VERSION,
    token: "t",
    name: "n",
    kind: "headless",
    slots: 1,
    memoryBytes: 1,
    backends: ["js"],
    lacks: [],
    held: [],
    running: [],
  };
  const channel = connectWebSocket(url);
  channel.send(hello);
  expect(decodeFromNode(await first)).toEqual(hello);
  stop(server);
});
