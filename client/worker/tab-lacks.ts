import type { Backend } from "../../shared/sdk/task.ts";

/** What a tab cannot do, in words for the join page and the dashboard; each at most 64 characters. */
export function tabLacks(
  isSecure: boolean,
  backends: readonly Backend[],
  peers: "there" | "missing" | "unwanted",
  canSpill: boolean,
): string[] {
  const lacks: string[] = [];
  if (!isSecure) lacks.push("secure context: no WebGPU, OPFS, native SHA-256");
  else if (!backends.includes("webgpu")) lacks.push("WebGPU: this browser offers no adapter");
  if (isSecure && !canSpill) lacks.push("private file system: large outputs stay in memory");
  if (!backends.includes("webgl")) lacks.push("WebGL2 that computes with floats");
  if (peers === "missing") lacks.push("connections to other nodes: no WebRTC here");
  if (peers === "unwanted") lacks.push("connections to other nodes: not wanted here");
  return lacks;
}
