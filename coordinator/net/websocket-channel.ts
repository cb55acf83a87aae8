import type { WebSocket } from "ws";
import type { Clock } from "../../shared/clock.ts";
import type { CoordinatorChannel } from "../../shared/protocol/channel.ts";
import { decodeFromNode } from "../../shared/protocol/frames.ts";
import type { ToCoordinator, ToNode } from "../../shared/protocol/messages.ts";
import { socketChannel } from "../../shared/protocol/socket-channel.ts";
import { tokenBucket } from "./rate-limit.ts";

export interface ChannelLimits {
  /** Messages a second that one connection may send for long, and at once. */
  readonly messagesPerSecond: number;
  readonly messageBurst: number;
  /** Bytes that may wait to leave before a peer counts as not reading. */
  readonly sendBufferBytes: number;
}

export const CHANNEL_LIMITS: ChannelLimits = {
  messagesPerSecond: 500,
  messageBurst: 2_000,
  sendBufferBytes: 8 * 1024 * 1024,
};

/** What the `ws` package calls a message that is too long, or in too many pieces. */
const OVER_LIMIT = new Set(["WS_ERR_UNSUPPORTED_MESSAGE_LENGTH", "WS_ERR_TOO_MANY_BUFFERED_PARTS"]);

/** The coordinator's end of a node's connection: validated, counted, and never the reason for an exception. */
export function coordinatorChannel(
  socket: WebSocket,
  limits: ChannelLimits,
  clock: Clock,
  onReceiverError: (error: unknown) => void,
): CoordinatorChannel {
  const bucket = tokenBucket(limits.messagesPerSecond, limits.messageBurst, clock);
  const channel = socketChannel<ToNode, ToCoordinator>(socket, {
    decode: decodeFromNode,
    admit: () => bucket.take(),
    maxBufferedBytes: limits.sendBufferBytes,
    onReceiverError,
  });
  socket.on("error", (error: Error & { readonly code?: string }) => {
    // The package has sent its own close code; what is left is to say so here at once. A broken connection is told by its end.
    if (OVER_LIMIT.has(error.code ?? "")) channel.close({ kind: "limit", detail: error.message });
    else if (error.code?.startsWith("WS_ERR_")) channel.close({ kind: "malformed", detail: error.message });
  });
  return channel;
}
