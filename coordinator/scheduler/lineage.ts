import { type ChunkKey, chunkKey } from "../../shared/ids.ts";
import type { HeldChunk } from "../../shared/protocol/messages.ts";
import type { Output } from "./events.ts";
import { isNeeded, type NodeState, type TaskState } from "./state.ts";
import type { Step } from "./step.ts";
import { refreshAvailability, transition } from "./transitions.ts";

/** Notes that a live node has the whole output of a done task. */
export function addHolder(step: Step, task: TaskState, node: NodeState): void {
  if (task.holders.includes(node)) return;
  task.holders.push(node);
  node.held.add(task);
  refreshAvailability(step, task);
}

/** A node no longer has the output. With the last holder a held output is lost. */
export function removeHolder(step: Step, task: TaskState, node: NodeState, why: string): void {
  const at = task.holders.indexOf(node);
  if (at < 0) return;
  task.holders.splice(at, 1);
  node.held.delete(task);
  if (task.status === "done" && !task.durable && task.holders.length === 0) transition(step, task, "lost", why);
}

/** Runs lost outputs again that something needs, with their own lost inputs, and stops doing so for others. */
export function settleLineage(step: Step): void {
  const { doubtful } = step.state;
  for (let task = doubtful.pop(); task !== undefined; task = doubtful.pop()) {
    if (task.output === null || task.stage.job.failed) continue;
    const needed = isNeeded(task);
    if (task.status === "lost" && needed) {
      transition(step, task, task.inputs.missing > 0 ? "waiting" : "ready", "its lost output is needed");
    } else if ((task.status === "ready" || task.status === "waiting") && !needed) {
      transition(step, task, "lost", "its lost output is needed no longer");
    }
  }
}

/** Whether two outputs are the same bytes. Where nothing was hashed, in one process, sizes alone are compared. */
export function sameOutput(a: Output, b: Output): boolean {
  return (
    a.chunks.length === b.chunks.length &&
    a.chunks.every((chunk, index) => {
      const other = b.chunks[index];
      return other !== undefined && sameChunk(chunk, other);
    })
  );
}

/** Whether what a node holds covers all of an output that did not come inline. */
export function holdsAll(task: TaskState, output: Output, held: readonly HeldChunk[]): boolean {
  const byKey = new Map<ChunkKey, HeldChunk>(held.map((chunk) => [chunk.key, chunk]));
  return output.chunks.every((chunk, bucket) => {
    if (chunk.inline !== undefined) return true;
    const copy = byKey.get(chunkKey(task.key, bucket));
    return copy !== undefined && sameChunk(chunk, copy);
  });
}

type Content = Pick<HeldChunk, "bytes" | "hash">;

const sameChunk = (a: Content, b: Content): boolean =>
  a.bytes === b.bytes && (a.hash === null || b.hash === null || a.hash === b.hash);
