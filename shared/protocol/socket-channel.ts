import { type Channel, CLOSE_CODES, type CloseReason } from "./channel.ts";
import { closeDetail, closeReasonOf } from "./close-codes.ts";
import { encodeFrame } from "./frames.ts";
import { Mailbox } from "./mailbox.ts";
import type { ToCoordinator, ToNode } from "./messages.ts";

/** What a channel needs of a WebSocket: the browser's, Node's own and the `ws` package's all have it. */
export interface Socket {
  readonly readyState: number;
  /** Bytes that were sent and have not left yet. */
  readonly bufferedAmount: number;
  binaryType: string;
  send(frame: Uint8Array<ArrayBuffer>): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: "open" | "error", listener: () => void): void;
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(type: "close", listener: (event: { readonly code: number; readonly reason: string }) => void): void;
}

const CONNECTING = 0;
const OPEN = 1;

export interface SocketChannelOptions<In> {
  /** Throws for a frame that is no valid message: the channel then closes with `malformed`. */
  decode(frame: Uint8Array): In;
  /** Asked before a frame is looked at; false closes the channel with `limit`. */
  admit?(): boolean;
  /** With more bytes than this waiting to leave, the peer does not read: the channel closes with `limit`. */
  readonly maxBufferedBytes?: number;
  /** What the receiver threw. Without it the error goes where the platform puts it. */
  onReceiverError?(error: unknown): void;
}

/** A channel over a WebSocket: one message in each binary frame. Messages sent before the socket opens wait for it. */
export function socketChannel<Out extends ToCoordinator | ToNode, In>(
  socket: Socket,
  options: SocketChannelOptions<In>,
): Channel<Out, In> {
  const mailbox = new Mailbox<In>();
  const early: Uint8Array<ArrayBuffer>[] = [];
  socket.binaryType = "arraybuffer";

  function close(reason: CloseReason): void {
    if (mailbox.isClosed) return;
    mailbox.drop(reason);
    // A browser lets a page close with 1000 and 3000–4999 alone, which are all of ours.
    socket.close(CLOSE_CODES[reason.kind], closeDetail(reason.detail));
  }

  function receive(data: unknown): void {
    if (mailbox.isClosed) return;
    if (options.admit?.() === false) {
      close({ kind: "limit", detail: "too many messages" });
      return;
    }
    let message: In;
    try {
      if (!(data instanceof ArrayBuffer)) throw new TypeError("a text frame");
      message = options.decode(new Uint8Array(data));
    } catch (error) {
      close({ kind: "malformed", detail: error instanceof Error ? error.message : String(error) });
      return;
    }
    try {
      mailbox.deliver(message);
    } catch (error) {
      if (options.onReceiverError === undefined) throw error;
      options.onReceiverError(error);
      close({ kind: "malformed", detail: "the message could not be handled" });
    }
  }

  socket.addEventListener("open", () => {
    for (const frame of early.splice(0)) socket.send(frame);
  });
  socket.addEventListener("message", ({ data }) => receive(data));
  socket.addEventListener("close", ({ code, reason }) => mailbox.end(closeReasonOf(code, reason)));
  // A close event follows every error and says as much as there is to know.
  socket.addEventListener("error", () => {});

  return {
    send(message) {
      if (mailbox.isClosed) return;
      const frame = encodeFrame(message);
      if (socket.readyState === CONNECTING) {
        early.push(frame);
      } else if (socket.bufferedAmount > (options.maxBufferedBytes ?? Number.POSITIVE_INFINITY)) {
        close({ kind: "limit", detail: "it does not read what it is sent" });
      } else if (socket.readyState === OPEN) {
        socket.send(frame);
      }
    },
    onMessage: (receiver) => mailbox.onMessage(receiver),
    onClose: (listener) => mailbox.onClose(listener),
    close,
  };
}
