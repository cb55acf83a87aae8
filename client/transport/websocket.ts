import type { NodeChannel } from "../../shared/protocol/channel.ts";
import { decodeFromCoordinator } from "../../shared/protocol/frames.ts";
import type { ToCoordinator, ToNode } from "../../shared/protocol/messages.ts";
import { socketChannel } from "../../shared/protocol/socket-channel.ts";

/**
 * Connects a node to the coordinator at `url` (`http://host:port`, its origin), in a tab or in Node. The channel takes messages
 * at once; one that cannot be made closes with `lost`.
 */
export function connectWebSocket(url: string): NodeChannel {
  const address = new URL("/api/connect", url);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  return socketChannel<ToCoordinator, ToNode>(new WebSocket(address), { decode: decodeFromCoordinator });
}
