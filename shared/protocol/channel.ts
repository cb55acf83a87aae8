import type { ToCoordinator, ToNode } from "./messages.ts";

/**
 * A connection that carries messages in order, or closes. Implementations: WebSocket, message port, in memory. A message
 * that was sent may be lost only if the channel closes.
 */
export interface Channel<Out, In> {
  send(message: Out): void;
  /** The one receiver; messages that came before it was set are kept for it. */
  onMessage(receiver: (message: In) => void): void;
  /** Called once, with why; also when this side closed it. */
  onClose(listener: (reason: CloseReason) => void): void;
  close(reason: CloseReason): void;
}

export type NodeChannel = Channel<ToCoordinator, ToNode>;
export type CoordinatorChannel = Channel<ToNode, ToCoordinator>;

/** WebSocket close codes of the 4000 range, and what they mean to a node. */
export const CLOSE_CODES = {
  normal: 1000,
  /** The protocol versions differ: a tab reloads once, a headless node says so and ends. */
  version: 4001,
  /** The token is wrong: do not come back with it. */
  unauthorized: 4003,
  /** A frame that is no valid message. */
  malformed: 4008,
  /** Too many or too large messages. */
  limit: 4009,
  /** Another connection resumed this node's session. */
  replaced: 4010,
  /** No heartbeat for too long. */
  silent: 4011,
  /** The coordinator stops: come back later. */
  stopping: 4012,
  /** The connection broke, or was never made. */
  lost: 4013,
} as const;

export type CloseKind = keyof typeof CLOSE_CODES;

export interface CloseReason {
  readonly kind: CloseKind;
  readonly detail: string;
}

/** Whether a node should connect again after its channel closed so. */
export function mayReconnect(kind: CloseKind): boolean {
  return kind === "lost" || kind === "stopping" || kind === "silent" || kind === "limit";
}
