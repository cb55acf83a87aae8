import type { Broadcast, Dataset, Job } from "kindling";
import type { Prepared } from "../data/prepared.ts";
import type { Forest } from "../forest/forest.ts";
import { beginTrees, countRows, cutRows, finishTrees, type GrownSummary, keepRows, splitNodes } from "../tasks/rows.ts";
import { CELL, type LevelOptions } from "./growth.ts";

/** Bytes of one level's histograms of one block: so many trees grow together as fit in it. */
const LEVEL_BYTES = 2 ** 26;
/** Bytes of a cell's numbers. */
const CELL_BYTES = CELL * 8;

export type RowsPlan = {
  readonly trees: number;
  readonly rows: number;
  readonly features: number;
  readonly blocks: number;
  readonly maxBins: number;
  readonly options: LevelOptions;
};

/**
 * Grows a forest where no node needs all rows: each has a block, fills the histograms of a level's nodes with it, and their sum
 * decides how the nodes are split (Panda et al., "PLANET", 2009). Sums are exact, so the trees do not depend on the blocks.
 */
export async function fitByRows(
  job: Job,
  plan: RowsPlan,
  prepared: Broadcast<Prepared>,
  label: string,
): Promise<Dataset<Forest, GrownSummary>> {
  const { maxBins, options } = plan;
  const cut = await job.shuffle(cutRows, [maxBins], {
    broadcast: prepared,
    buckets: plan.blocks,
    label: `rows (${label})`,
  });
  const blocks = await job.reduce(keepRows, cut, { label: `blocks (${label})` });
  const grown: Dataset<Forest, GrownSummary>[] = [];
  const together = treesTogether(plan);
  for (let first = 0; first < plan.trees; first += together) {
    const count = Math.min(together, plan.trees - first);
    let state = await job.map(beginTrees, [{ first, count, maxBins, options }], { broadcast: prepared });
    for (let depth = 0, open = count; open > 0; depth++) {
      const broadcast = await job.broadcast({ dataset: state, partition: 0 });
      const counts = await job.map(countRows, blocks, { broadcast, label: `level ${depth} (${label})` });
      const split = await job.reduce(splitNodes, counts, { broadcast, label: `split ${depth} (${label})` });
      open = split.summaries[0]?.open ?? 0;
      state = { parts: split.parts, buckets: split.buckets, summaries: [] };
    }
    grown.push(await job.map(finishTrees, state));
  }
  return {
    parts: grown.flatMap(({ parts }) => parts),
    buckets: 1,
    summaries: grown.flatMap(({ summaries }) => summaries),
  };
}

/** By sizes and parameters alone: each level has at most twice the nodes of the one above, and two rows for each. */
function treesTogether({ rows, features, maxBins, options, trees }: RowsPlan): number {
  let nodes = 1;
  for (let depth = 1; depth < options.maxDepth && nodes < rows / 2; depth++) nodes *= 2;
  return Math.max(1, Math.min(trees, Math.floor(LEVEL_BYTES / (nodes * features * (maxBins + 1) * CELL_BYTES))));
}
