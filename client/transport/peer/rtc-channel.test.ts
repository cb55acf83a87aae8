import { EventEmitter } from "node:events";
import type { DataConnection } from "peerjs";
import { expect, test } from "vitest";
import { LOW_BYTES } from "./channel.ts";
import { inboxOf, rtcChannel } from "./rtc-channel.ts";

/** What is used of a PeerJS connection and its data channel. */
class FakeConnection extends EventEmitter {
  readonly dataChannel = Object.assign(new EventTarget(), {
    readyState: "open",
    bufferedAmount: 0,
    bufferedAmountLowThreshold: 0,
    sent: [] as Uint8Array[],
    send(frame: Uint8Array) {
      this.sent.push(frame);
      this.bufferedAmount += frame.byteLength;
    },
  });
  closes = 0;

  close(): void {
    this.closes++;
    this.dataChannel.readyState = "closed";
    this.emit("close");
  }

  get asConnection(): DataConnection {
    return this as unknown as DataConnection;
  }
}

const frame = (byte: number): ArrayBuffer => Uint8Array.of(byte).buffer;

test("frames that come before the connection counts as open are not lost", () => {
  const connection = new FakeConnection();
  const inbox = inboxOf(connection.asConnection);
  connection.emit("data", frame(1));
  const channel = rtcChannel(connection.asConnection, inbox);
  connection.emit("data", frame(2));
  const heard: number[] = [];
  channel.onFrame((bytes) => heard.push(...bytes));
  connection.emit("data", frame(3));
  expect(heard).toEqual([1, 2, 3]);
  connection.emit("data", "text");
  expect(heard).toHaveLength(3);
});

test("a browser's channel tells when it has drained", () => {
  const connection = new FakeConnection();
  Object.assign(connection.dataChannel, { onbufferedamountlow: null });
  const channel = rtcChannel(connection.asConnection, inboxOf(connection.asConnection));
  let drained = 0;
  channel.onDrain(() => drained++);
  channel.send(new Uint8Array(LOW_BYTES + 1));
  expect(channel.bufferedBytes).toBe(LOW_BYTES + 1);
  expect(connection.dataChannel.bufferedAmountLowThreshold).toBe(LOW_BYTES);
  connection.dataChannel.dispatchEvent(new Event("bufferedamountlow"));
  expect(drained).toBe(1);
});

test("a channel that does not tell is looked at until it has drained", async () => {
  const connection = new FakeConnection();
  const channel = rtcChannel(connection.asConnection, inboxOf(connection.asConnection));
  const drained = new Promise<number>((resolve) => channel.onDrain(() => resolve(channel.bufferedBytes)));
  channel.send(new Uint8Array(3 * LOW_BYTES));
  setImmediate(() => {
    connection.dataChannel.bufferedAmount = LOW_BYTES;
  });
  expect(await drained).toBe(LOW_BYTES);
});

test("a broken send closes; after the end nothing is sent or received", async () => {
  const connection = new FakeConnection();
  const channel = rtcChannel(connection.asConnection, inboxOf(connection.asConnection));
  let ended = 0;
  const heard: Uint8Array[] = [];
  channel.onFrame((bytes) => heard.push(bytes));
  channel.onClose(() => ended++);
  connection.dataChannel.send = () => {
    throw new Error("InvalidStateError");
  };
  channel.send(new Uint8Array(1));
  expect([connection.closes, ended]).toEqual([1, 1]);
  connection.emit("data", frame(1));
  channel.close();
  expect([heard.length, channel.bufferedBytes, ended]).toEqual([0, 0, 1]);
});
