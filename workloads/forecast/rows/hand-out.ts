import type { RowBlock, RowFrame } from "./block.ts";
import { missingCodes } from "./count.ts";
import { type Growth, HANDED, type LevelOptions, nodeOf } from "./growth.ts";
import { weightBits, weightLimits } from "./sampling.ts";

/** A node whose subtree one task grows. */
export type Handed = { readonly tree: number; readonly node: number; readonly id: number; readonly rows: number };

/** The handed nodes of the trees `from` to `to` (excluded), in their order. `tree` counts from the growth's first. */
export const handedNodes = ({ trees }: Growth, from: number, to: number): Handed[] =>
  trees
    .slice(from, to)
    .flatMap(({ column, id, rows }, at) =>
      [...column.keys()]
        .filter((node) => column[node] === HANDED)
        .map((node) => ({ tree: from + at, node, id: id[node] as number, rows: rows[node] as number })),
    );

/**
 * Which of `buckets` tasks grows each of one tree's nodes: neighbours together, about as many rows in each. Trees that split alike have
 * the same part of the rows in a bucket, so that a row is sent to few of them: by the middle of a node, which moves little from tree to tree.
 */
export function bucketsOf(handed: readonly Handed[], buckets: number): Uint32Array {
  const total = handed.reduce((sum, { rows }) => sum + rows, 0);
  // Of a full tree's nodes by their numbers, what lies further right has the larger fraction.
  const fraction = ({ id }: Handed): number => id / (1 << (31 - Math.clz32(id)));
  const bucketOf = new Uint32Array(handed.length);
  let before = 0;
  for (const place of [...handed.keys()].sort(
    (a, b) => fraction(handed[a] as Handed) - fraction(handed[b] as Handed),
  )) {
    const { rows } = handed[place] as Handed;
    bucketOf[place] = Math.min(buckets - 1, Math.floor(((before + rows / 2) * buckets) / total));
    before += rows;
  }
  return bucketOf;
}

/** Which trees of a growth are handed out together, and to how many tasks. */
export type HandOut = { readonly from: number; readonly to: number; readonly buckets: number };

/** The bucket of each handed node of a tree, in their order. */
export function bucketByNode(growth: Growth, { buckets }: HandOut, tree: number): Map<number, number> {
  const handed = handedNodes(growth, tree, tree + 1);
  const bucketOf = bucketsOf(handed, buckets);
  return new Map(handed.map(({ node }, place) => [node, bucketOf[place] as number]));
}

/** The handed nodes that a tree has in a bucket. */
export function handedIn(growth: Growth, out: HandOut, bucket: number, tree: number): Handed[] {
  const bucketOf = bucketByNode(growth, out, tree);
  return handedNodes(growth, tree, tree + 1).filter(({ node }) => bucketOf.get(node) === bucket);
}

/** Bytes of a row that is sent for so many trees. */
export const sentBytes = (columns: number, trees: number, bits: number): number =>
  columns + 4 + Math.ceil((trees * bits) / 8);

/** How many trees are handed out together, the best first: the more, the fewer rows are sent twice. */
export const TOGETHER = [16, 8, 4, 2, 1] as const;
/** Bytes that a block sends at a time, and about those that one task grows subtrees from. */
const SENT_BYTES = 2 ** 24;
const BUCKET_BYTES = 2 ** 23;
/** Records of a piece at least and at most. */
const PIECE_ROWS = [16, 2048] as const;
/** Rows of a block from which its part of each way to hand out is estimated. */
const SAMPLE_ROWS = 4096;

/**
 * Records of `size` bytes in one piece of what a block sends: so that a kernel can work on what comes a little at a time, and takes not much
 * more room than is sent where each of many buckets begins a piece.
 */
export const pieceRows = (buckets: number, size: number): number =>
  Math.max(PIECE_ROWS[0], Math.min(PIECE_ROWS[1], Math.floor(SENT_BYTES / buckets / size)));

/** [trees + 1] The share of the rows that at least one of so many trees draws. */
function drawnShares(limits: Uint32Array, trees: number): number[] {
  const missed = 1 - ((limits[0] as number) + 1) / 2 ** 32;
  const shares = [0];
  for (let left = missed; shares.length <= trees; left *= missed) shares.push(1 - left);
  return shares;
}

/** Cuts a growth's trees into parts of at most `together` trees, whose rows are sent together. */
export function handOuts(
  { rows, columns }: Pick<RowFrame, "rows" | "columns">,
  options: LevelOptions,
  trees: number,
  together: number,
): HandOut[] {
  const limits = weightLimits(options);
  const parts = Math.ceil(trees / together);
  return Array.from({ length: parts }, (_, part) => {
    const from = Math.floor((part * trees) / parts);
    const to = Math.floor(((part + 1) * trees) / parts);
    const drawn = drawnShares(limits, to - from)[to - from] as number;
    const bytes = rows * drawn * sentBytes(columns, to - from, weightBits(limits));
    return { from, to, buckets: Math.max(1, Math.ceil(bytes / BUCKET_BYTES)) };
  });
}

/** For each number of trees in TOGETHER, about how many bytes a block sends in its largest hand-out. */
export function estimateSent(growth: Growth, frame: RowFrame, options: LevelOptions, block: RowBlock): number[] {
  const { columns } = frame;
  const limits = weightLimits(options);
  const missing = missingCodes(frame);
  const step = Math.ceil(block.rows / SAMPLE_ROWS);
  const rows = Array.from({ length: Math.ceil(block.rows / step) }, (_, at) => at * step);
  const nodes = growth.trees.map((tree) => rows.map((row) => nodeOf(tree, missing, block.codes, row * columns)));
  const most = (together: number): number =>
    Math.max(
      ...handOuts(frame, options, growth.trees.length, together).map((out) => {
        const { from, to, buckets } = out;
        // [rows × buckets] Trees that have the row there.
        const having = new Uint8Array(rows.length * buckets);
        for (let tree = from; tree < to; tree++) {
          const bucketOf = bucketByNode(growth, out, tree);
          nodes[tree]?.forEach((node, at) => {
            const bucket = bucketOf.get(node);
            if (bucket !== undefined) having[at * buckets + bucket] = (having[at * buckets + bucket] as number) + 1;
          });
        }
        const drawn = drawnShares(limits, to - from);
        const sent = having.reduce((sum, trees) => sum + (drawn[trees] as number), 0);
        return sent * step * sentBytes(columns, to - from, weightBits(limits));
      }),
    );
  return TOGETHER.map(most);
}

/** How many trees to hand out together, given every block's estimates: as many as keep what a block sends at a time small. */
export function chooseTogether(estimates: readonly (readonly number[])[]): number {
  const fits = TOGETHER.find((_, at) => estimates.every((sent) => (sent[at] as number) <= SENT_BYTES));
  return fits ?? (TOGETHER.at(-1) as number);
}
