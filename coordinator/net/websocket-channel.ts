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

/** The coordinator's end of a node's connection: validated, counted, and never the reason for an exception. */
export function coordinatorChannel(
  socket: WebSocket,
  limits: ChannelLimits,
  clock: Clock,
  onReceiverError: (error: unknown) => void,
): CoordinatorChannel {
  const bucket = tokenBucket(limits.messagesPerSecond, limits.messageBurst, clock);
  return socketChannel<ToNode, ToCoordinator>(socket, {
    decode: decodeFromNode,
    admit: () => bucket.take(),
    maxBufferedBytes: limits.sendBufferBytes,
    onReceiverError,
  });
}
