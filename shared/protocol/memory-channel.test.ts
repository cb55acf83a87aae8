import { channelContract } from "../testing/channel.contract.ts";
import { memoryChannelPair } from "./memory-channel.ts";
import type { ToCoordinator, ToNode } from "./messages.ts";

channelContract("channel in memory", () => {
  const [node, coordinator] = memoryChannelPair<ToCoordinator, ToNode>();
  return Promise.resolve({ node, coordinator, dispose: () => {} });
});
