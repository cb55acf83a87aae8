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
  joinGroups,
  type LevelState,
  passSums,
  planHandOut,
  shareRows,
  splitNodes,
  sumCounts,
} from "../tasks/rows.ts";
import type { RowBlock } from "./block.ts";
import type { LevelSums } from "./count.ts";
import type { LevelOptions } from "./growth.ts";
import { chooseTogether, handOuts } from "./hand-out.ts";
import type { RowRules } from "./rules.ts";

/** A node of at most so many rows is grown by one task: a few megabytes of records. */
const SMALL = 2 ** 18;
/** Bytes of a packed cell where nodes are large, about. */
const PACKED_BYTES = 10;
/** Bytes of one block's histograms of a level: so many trees grow together as fit in it. */
const COUNT_BYTES = 2 ** 24;
/** Bytes of all blocks' histograms that one task adds up, for at least one tree. */
const SUM_BYTES = 2 ** 25;
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
  const most = treesTogether(plan);
  for (let first = 0; first < trees; first += most) {
    const count = Math.min(most, trees - first);
    const state = await growLevels(job, plan, { first, count }, blocks, rules, label);
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

/** Splits the larger nodes of some trees, level by level. */
async function growLevels(
  job: Job,
  plan: RowsPlan,
  { first, count }: { readonly first: number; readonly count: number },
  blocks: Dataset<RowBlock>,
  rules: Broadcast<RowRules>,
  label: string,
): Promise<Dataset<LevelState>> {
  const { options, backend } = plan;
  const groups = Math.ceil(count / Math.max(1, Math.floor(SUM_BYTES / (treeBytes(plan) * plan.blocks))));
  let state = await job.map(beginTrees, [{ first, count, groups, options, small: SMALL }], { broadcast: rules });
  let above: Dataset<LevelSums | null> = { parts: [], buckets: groups, summaries: [] };
  for (let depth = 0; (state.summaries[0]?.open ?? 0) > 0; depth++) {
    const broadcast = await job.broadcast({ dataset: state, partition: 0 });
    const stage = { broadcast, backend, buckets: groups, label: `level ${depth} (${label})` };
    const counts = await job.shuffle(countRows, blocks, stage);
    const all = { parts: [...counts.parts, ...above.parts], buckets: groups, summaries: [] };
    const sums = await job.reduce(sumCounts, all, { broadcast, label: `sum ${depth} (${label})` });
    const split = await job.map(splitNodes, sums, { broadcast, label: `split ${depth} (${label})` });
    state = await job.reduce(joinGroups, split, { broadcast, label: `join ${depth} (${label})` });
    above =
      groups === 1 ? sums : await job.shuffle(passSums, sums, { buckets: groups, label: `pass ${depth} (${label})` });
  }
  return state;
}

/** By sizes and parameters alone. */
const treesTogether = (plan: RowsPlan): number =>
  Math.max(1, Math.min(plan.trees, Math.floor(COUNT_BYTES / treeBytes(plan))));

/**
 * About the bytes that a block counts for a level of a tree: its nodes have more than SMALL rows each, and of two such children one is counted.
 * Up to twice as many where of two children often only one has so many rows: then that one is counted.
 */
function treeBytes({ rows, features, maxBins, options }: RowsPlan): number {
  // No tree has so many levels that this shift overflows.
  const nodes = Math.max(1, Math.min(1 << Math.max(0, options.maxDepth - 2), Math.ceil(rows / SMALL / 2)));
  return nodes * features * (maxBins + 1) * PACKED_BYTES;
}
