import { join } from "node:path";
import { Fabric } from "../fabric.ts";
import { folders } from "../folders.ts";
import type { Contender } from "../model.ts";

const NODES = ["tab", "tab", "headless"] as const;
/** Each node makes as many parts and weighs as many buckets as the others, whatever their speed. */
const PARTS = 4 * NODES.length;
const BUCKETS = 4 * NODES.length;
const BLOCK_BYTES = 2 ** 21;

/** About what one node sends to another, so that plain channels carry as much. */
export const bulkBytesEachWay = (scale: number): number =>
  Math.round((PARTS * BUCKETS * blockBytes(scale)) / NODES.length ** 2);

const blockBytes = (scale: number): number => Math.max(2 ** 17, Math.round(BLOCK_BYTES * scale));

/** Blocks of bytes that two tabs and a headless node fetch from each other: bytes a second of the stage that fetches them. */
export function bulkShuffle(scale: number): Contender {
  const fabric = new Fabric(
    NODES.map((kind) => ({ kind, slots: 1 })),
    folders.data,
  );
  return {
    name: "blocks by peers",
    start: () => fabric.start(),
    stop: () => fabric.stop(),
    async measure() {
      const params = { parts: PARTS, buckets: BUCKETS, bytes: blockBytes(scale) };
      const job = await fabric.runFile(join(import.meta.dirname, "bulk-shuffle.ts"), params, "peer");
      const seconds = job.stages.find(({ kind }) => kind === "reduce")?.seconds;
      if (seconds === undefined || job.shuffle === undefined) throw new Error("the job has not shuffled");
      return { figures: { seconds, rate: job.shuffle.peer / seconds } };
    },
  };
}
