import type { BackendChoice, Broadcast, Dataset, Job } from "kindling";
import type { Forest } from "../forest/forest.ts";
import { lockstep } from "../lockstep.ts";
import {
  beginTrees,
  countRows,
  estimateRows,
  finishTrees,
  type GrownSummary,
  growSubtrees,
  planHandOut,
  shareRows,
  splitNodes,
  sumCounts,
} from "../tasks/rows.ts";
import type { RowBlock } from "./block.ts";
import { CELL, type LevelOptions } from "./growth.ts";
import { chooseTogether, handOuts } from "./hand-out.ts";
import type { RowRules } from "./rules.ts";

/** A node of at most so many rows is grown by one task: a few megabytes of records. */
const SMALL = 2 ** 18;
/** Bytes of all blocks' histograms of one level: so many trees grow together as fit in it. */
const LEVEL_BYTES = 2 ** 26;
/** Hand-outs that are under way at a time. */
const LANES = 2;

export type RowsPlan = {
  readonly trees: number;
  /** Training rows. */
  readonly rows: number;
  readonly features: number;
  readonly blocks: number;
  readonly maxBins: number;
  readonly options: LevelOptions;
  readonly backend: BackendChoice;
};

/**
 * Grows a forest where no node needs all rows: each block fills the histograms of a level's nodes, and their sum decides how
 * the nodes are split, until a node's rows are few; then they are sent to one task, which grows what is below (Panda et al., "PLANET",
 * 2009). Sums are exact, so the trees do not depend on the blocks.
 */
export async function fitByRows(
  job: Job,
  plan: RowsPlan,
  blocks: Dataset<RowBlock>,
  rules: Broadcast<RowRules>,
  label: string,
): Promise<Dataset<Forest, GrownSummary>> {
  const { trees, rows, features, options, backend } = plan;
  const grown: Dataset<Forest, GrownSummary>[] = [];
  const growing = treesTogether(plan);
  for (let first = 0; first < trees; first += growing) {
    const count = Math.min(growing, trees - first);
    let state = await job.map(beginTrees, [{ first, count, options, small: SMALL }], { broadcast: rules });
    let sums: Dataset<unknown> = { parts: [], buckets: 1, summaries: [] };
    for (let depth = 0, open = state.summaries[0]?.open ?? 0; open > 0; depth++) {
      const broadcast = await job.broadcast({ dataset: state, partition: 0 });
      const stage = { broadcast, backend, label: `level ${depth} (${label})` };
      const counts = await job.map(countRows, blocks, stage);
      const all = { parts: [...counts.parts, ...sums.parts], buckets: 1, summaries: [] };
      const sum = await job.reduce(sumCounts, all, { broadcast, label: `sum ${depth} (${label})` });
      state = await job.map(splitNodes, sum, { broadcast, label: `split ${depth} (${label})` });
      open = state.summaries[0]?.open ?? 0;
      sums = sum;
    }
    const estimates = await job.map(estimateRows, blocks, {
      broadcast: await job.broadcast({ dataset: state, partition: 0 }),
      label: `estimate (${label})`,
    });
    const together = chooseTogether(estimates.summaries.map(({ sent }) => sent));
    const shares = handOuts({ rows, columns: features }, options, count, together);
    const lanes = Array.from({ length: Math.min(LANES, shares.length) }, (_, lane) =>
      shares.filter((_, at) => at % LANES === lane),
    );
    const done = await lockstep(job, lanes, async (job, own) => {
      const forests: { readonly from: number; readonly forest: Dataset<Forest, GrownSummary> }[] = [];
      for (const out of own) {
        const planned = await job.map(planHandOut, state, { broadcast: await job.broadcast(out) });
        const broadcast = await job.broadcast({ dataset: planned, partition: 0 });
        const names = `trees from ${first + out.from} (${label})`;
        const sent = await job.shuffle(shareRows, blocks, {
          ...{ broadcast, backend, buckets: out.buckets },
          label: `rows of ${names}`,
        });
        const subtrees = await job.reduce(growSubtrees, sent, { broadcast, backend, label: `subtrees of ${names}` });
        const forest = await job.reduce(finishTrees, { ...subtrees, summaries: [] }, { broadcast, label: names });
        forests.push({ from: out.from, forest });
      }
      return forests;
    });
    const inOrder = done.flat().sort((a, b) => a.from - b.from);
    grown.push(...inOrder.map(({ forest }) => forest));
  }
  return {
    parts: grown.flatMap(({ parts }) => parts),
    buckets: 1,
    summaries: grown.flatMap(({ summaries }) => summaries),
  };
}

/**
 * By sizes and parameters alone: nodes that are split by histograms have more than SMALL rows each, and of two children one is
 * counted.
 */
function treesTogether({ rows, features, blocks, maxBins, options, trees }: RowsPlan): number {
  // No tree has so many levels that this shift overflows.
  const nodes = Math.max(1, Math.min(1 << Math.max(0, options.maxDepth - 2), Math.ceil(rows / SMALL / 2)));
  const bytes = nodes * features * (maxBins + 1) * CELL * 8;
  return Math.max(1, Math.min(trees, Math.floor(LEVEL_BYTES / (bytes * blocks))));
}
