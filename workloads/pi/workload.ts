import { BACKEND_CHOICES, defineTask, defineWorkload, z } from "kindling";
import { countInside, GROUP, type SampleRange } from "./inside.ts";
import { countInsideWebGl } from "./inside-webgl.ts";
import wasm from "./kernel.wasm";

/** A multiple of GROUP; about 0.1 s of one core. */
const SAMPLES_PER_PARTITION = 2 ** 24;
/** How often a kernel tells its progress, in samples. */
const PROGRESS_STEP = 2 ** 21;

/** What `auto` times kernels with. */
const PROBE_SAMPLES = { small: 2 ** 11, large: 2 ** 22 };

interface KernelExports {
  countGroups(seed: number, group: number, groups: number): number;
}

const count = defineTask<SampleRange, readonly number[], undefined, number>({
  js(range, context) {
    const inside = countInside(range);
    context.progress(range.count);
    context.report(inside);
    return [inside];
  },
  wasm: {
    module: wasm,
    run(exports, { seed, start, count: samples }, context) {
      const { countGroups } = exports as unknown as KernelExports;
      const whole = samples - (samples % GROUP);
      let inside = 0;
      for (let done = 0; done < whole; done += PROGRESS_STEP) {
        const step = Math.min(PROGRESS_STEP, whole - done);
        inside += countGroups(seed, (start + done) / GROUP, step / GROUP);
        context.progress(step);
      }
      inside += countInside({ seed, start: start + whole, count: samples - whole });
      context.progress(samples - whole);
      context.report(inside);
      return [inside];
    },
  },
  async webgl(range, context) {
    const inside = await countInsideWebGl(range, context);
    context.report(inside);
    return [inside];
  },
  probe: (size) => ({ input: { seed: 1, start: 0, count: PROBE_SAMPLES[size] } }),
});

const total = defineTask<
  readonly number[],
  { readonly pi: number; readonly samples: number; readonly inside: number },
  number
>({
  js(counts, context) {
    const inside = counts.reduce((sum, part) => sum + part, 0);
    return { pi: (4 * inside) / context.broadcast, samples: context.broadcast, inside };
  },
});

/** Partitions begin at multiples of GROUP. */
function plan(seed: number, samples: number, partitions: number | undefined): SampleRange[] {
  const wanted = partitions ?? Math.ceil(samples / SAMPLES_PER_PARTITION);
  const size = Math.ceil(samples / wanted / GROUP) * GROUP;
  return Array.from({ length: Math.ceil(samples / size) }, (_, index) => ({
    seed,
    start: index * size,
    count: Math.min(size, samples - index * size),
  }));
}

export default defineWorkload({
  name: "pi",
  description: "Estimates pi from random points: the smoke test",
  unit: "samples",
  params: z.object({
    samples: z.number().int().positive().max(1e13).default(1e8).meta({ description: "random points in all" }),
    partitions: z
      .number()
      .int()
      .positive()
      .max(1e6)
      .optional()
      .meta({ description: "tasks (default: one for 16M points)" }),
    seed: z.number().int().min(0).max(0xffffffff).default(1).meta({ description: "unsigned 32-bit seed" }),
    backend: z.enum(BACKEND_CHOICES).default("auto").meta({ description: "which kernel runs" }),
  }),
  lacks: (_, artifact) => (artifact === "model" ? "pi makes no model" : undefined),
  tasks: { count, total },
  async drive(job, { samples, partitions, seed, backend }) {
    const counts = await job.shuffle(count, plan(seed, samples, partitions), { buckets: 1, backend });
    const result = await job.reduce(total, counts, { broadcast: await job.broadcast(samples) });
    const inside = counts.summaries.reduce((sum, part) => sum + part, 0);
    return job.collect({ "pi.json": result }, { pi: (4 * inside) / samples, samples, inside });
  },
});
