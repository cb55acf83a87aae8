/** A shuffle and nothing else: every part makes a block of bytes for each bucket, and every bucket only asks how many came. */
import { defineTask, defineWorkload, z } from "kindling";

interface Block {
  readonly part: number;
  readonly bytes: number;
}

const make = defineTask<Block, readonly Uint8Array[]>({
  js: ({ part, bytes }, { buckets }) =>
    Array.from({ length: buckets }, (_, bucket) => {
      const block = new Uint8Array(bytes);
      new DataView(block.buffer).setUint32(0, part * buckets + bucket);
      return block;
    }),
});

const weigh = defineTask<readonly Uint8Array[], number>({
  js: (blocks) => blocks.reduce((total, block) => total + block.byteLength, 0),
});

export default defineWorkload({
  name: "bulk-shuffle",
  params: z.object({
    parts: z.number().int().positive(),
    buckets: z.number().int().positive(),
    bytes: z.number().int().min(4),
  }),
  tasks: { make, weigh },
  async drive(job, { parts, buckets, bytes }) {
    const blocks = Array.from({ length: parts }, (_, part) => ({ part, bytes }));
    const weights = await job.reduce(weigh, await job.shuffle(make, blocks, { buckets }));
    return job.collect(weights, { bytes: parts * buckets * bytes });
  },
});
