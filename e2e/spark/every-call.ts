import { defineTask, defineWorkload, InputError, z } from "kindling";

/**
 * A user's workload that uses all that the SDK has, in the odd ways too: datasets put together from parts of others, parts used twice, a
 * partition as a broadcast, outputs too large to travel beside their summaries.
 */
const numbers = defineTask<{ from: number; to: number }, number[], undefined, number>({
  js({ from, to }, context) {
    const made = [];
    for (let n = from; n < to; n++) made.push((n * 7919) % 1000);
    context.report(made.length);
    context.progress(made.length);
    return made;
  },
});
const large = defineTask({
  js: (values: readonly number[]) => new Float64Array(10_000).map((_, index) => values[index % values.length] ?? 0),
});
const byDigit = defineTask({
  js(values: readonly number[], { buckets, broadcast }: { buckets: number; broadcast: number }) {
    const out: number[][] = Array.from({ length: buckets }, () => []);
    for (const value of values) out[(value + broadcast) % buckets]?.push(value);
    return out;
  },
});
const total = defineTask({
  js: (parts: readonly (readonly number[])[], { partition }) => ({
    partition,
    order: parts.map((part) => part[0] ?? -1),
  }),
});
const sums = defineTask({
  js: (parts: readonly Float64Array[]) => parts.map((part) => part.reduce((sum, value) => sum + value, 0)),
});
const compare = defineTask<readonly number[], number, readonly number[]>({
  js: (values, { broadcast }) => values.filter((value) => broadcast.includes(value)).length,
});
const refuse = defineTask<number, number>({
  js(partition) {
    if (partition === 1) throw new InputError("numbers.csv, row 7: no number");
    return partition;
  },
});

export default defineWorkload({
  name: "every-call",
  params: z.object({ fail: z.boolean().default(false), parts: z.number().int().default(6) }),
  tasks: { numbers, large, byDigit, total, sums, compare, refuse },
  async drive(job, { fail, parts }) {
    if (fail) return job.collect(await job.map(refuse, [0, 1, 2]));
    const ranges = Array.from({ length: parts }, (_, index) => ({ from: index * 50, to: (index + 1) * 50 + index }));
    const made = await job.map(numbers, ranges, { label: "make numbers" });
    const none = await job.map(numbers, []);
    const shift = await job.broadcast(await job.once(() => 3));
    const shards = await job.shuffle(byDigit, made, { buckets: 4, broadcast: shift });
    const [totals, wide] = await Promise.all([job.reduce(total, shards), job.map(large, made)]);
    const mixed = {
      parts: [
        ...made.parts.slice(2, 4),
        ...made.parts.slice(1, 3),
        ...(await job.map(numbers, ranges.slice(0, 1))).parts,
      ],
      buckets: 1,
      summaries: [],
    };
    const first = await job.broadcast({ dataset: made, partition: 0 });
    const compared = await job.map(compare, mixed, { broadcast: first });
    const one = await job.reduce(sums, { ...wide, parts: [...wide.parts].reverse() });
    const again = await job.shuffle(byDigit, mixed, { buckets: 1, broadcast: shift });
    const single = await job.reduce(total, again);
    return job.collect(
      { totals, wide, compared, one, single },
      { lengths: made.summaries, none: none.parts.length, seen: await job.fetch(compared, 1) },
    );
  },
});
