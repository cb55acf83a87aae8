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

/**
 * An open PeerJS connection as a channel. Frames go straight to the data channel: PeerJS's own buffer waits by a timer, which pages in
 * the background slow down.
 */
export function rtcChannel(connection: DataConnection): PeerChannel {
  const channel = connection.dataChannel;
  let drained = (): void => {};
  const sent = watchDrain(channel, () => drained());
  let receive: ((frame: Uint8Array) => void) | undefined;
  let early: Uint8Array[] = [];
  let isClosed = false;
  let tell: (() => void) | undefined;
  const end = (): void => {
    isClosed = true;
    early = [];
    tell?.();
    tell = undefined;
  };
  connection.on("data", (data) => {
    if (isClosed || !(data instanceof ArrayBuffer)) return;
    const frame = new Uint8Array(data);
    if (receive === undefined) early.push(frame);
    else receive(frame);
  });
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
      receive = receiver;
      for (const frame of early.splice(0)) receiver(frame);
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
