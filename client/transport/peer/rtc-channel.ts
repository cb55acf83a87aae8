import type { DataConnection } from "peerjs";
import { systemClock } from "../../../shared/clock.ts";
import { LOW_BYTES, type PeerChannel } from "./channel.ts";

/** ms between looks at the buffer of a data channel that does not tell when it has drained. */
const LOOK_MS = 1;

/** Has `listener` called whenever the buffer has drained; the result must be called after each `send`. */
function watchDrain(channel: RTCDataChannel, listener: () => void): () => void {
  if ((channel as Partial<RTCDataChannel>).onbufferedamountlow !== undefined) {
    channel.bufferedAmountLowThreshold = LOW_BYTES;
    channel.addEventListener("bufferedamountlow", listener);
    return () => {};
  }
  // WebRTC for Node has no such event.
  let looking = false;
  const look = (): void => {
    if (channel.readyState === "open" && channel.bufferedAmount > LOW_BYTES) {
      systemClock.after(LOOK_MS, look);
      return;
    }
    looking = false;
    listener();
  };
  return () => {
    if (looking) return;
    looking = true;
    systemClock.after(LOOK_MS, look);
  };
}

/** Where a connection's frames go; until that is told they are kept. */
interface Inbox {
  receiver: ((frame: Uint8Array) => void) | undefined;
  readonly early: Uint8Array[];
}

/** To be called as soon as there is a connection: its first frames may come before it counts as open here. */
export function inboxOf(connection: DataConnection): Inbox {
  const inbox: Inbox = { receiver: undefined, early: [] };
  connection.on("data", (data) => {
    if (!(data instanceof ArrayBuffer)) return;
    const frame = new Uint8Array(data);
    if (inbox.receiver === undefined) inbox.early.push(frame);
    else inbox.receiver(frame);
  });
  return inbox;
}

/**
 * An open PeerJS connection as a channel. Frames go straight to the data channel: PeerJS's own buffer waits by a timer, which pages in
 * the background slow down.
 */
export function rtcChannel(connection: DataConnection, inbox: Inbox): PeerChannel {
  const channel = connection.dataChannel;
  let drained = (): void => {};
  const sent = watchDrain(channel, () => drained());
  let isClosed = false;
  let tell: (() => void) | undefined;
  const end = (): void => {
    isClosed = true;
    inbox.receiver = () => {};
    tell?.();
    tell = undefined;
  };
  connection.once("close", end);

  return {
    get bufferedBytes() {
      return isClosed ? 0 : channel.bufferedAmount;
    },
    send(frame) {
      if (isClosed || channel.readyState !== "open") return;
      try {
        channel.send(frame);
        sent();
      } catch {
        // It broke between two looks.
        connection.close();
      }
    },
    onFrame(receiver) {
      for (const frame of inbox.early.splice(0)) receiver(frame);
      if (!isClosed) inbox.receiver = receiver;
    },
    onDrain(listener) {
      drained = listener;
    },
    onClose(listener) {
      if (isClosed) queueMicrotask(listener);
      else tell = listener;
    },
    close() {
      connection.close();
      end();
    },
  };
}
