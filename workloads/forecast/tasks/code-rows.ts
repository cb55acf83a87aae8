import { defineTask } from "kindling";
import type { CleaningCounts } from "../data/prepared.ts";
import { RowBatch } from "../rows/batch.ts";
import { NO_TARGET, type RowBlock } from "../rows/block.ts";
import { readRows } from "../rows/records.ts";
import { LISTED, RowCleaner, type RowRules } from "../rows/rules.ts";
import { type Division, partOf } from "../rows/survey.ts";
import type { PartInput } from "./read-rows.ts";

export type CodeInput = PartInput & {
  /** The number of the part's first row to train on. */
  readonly first: number;
  readonly division: Division;
};

/** A part's rows of one block. */
export type CodedRows = { readonly codes: Uint8Array; readonly targets: Int32Array };
export type CodedSummary = { readonly counts: CleaningCounts; readonly rows: number };

/** Codes a part's rows, for each block those that are its. */
export const codeRows = defineTask<CodeInput, readonly CodedRows[], RowRules, CodedSummary>({
  async js({ range, layout, first, division }, context) {
    const rules = context.broadcast;
    const { frame, prepared, columns } = rules;
    const cleaner = new RowCleaner(rules, "train");
    const coder = new RowBatch(rules);
    const codes: Uint8Array[] = [];
    const targets: number[] = [];
    let trained = 0;
    const flush = (): void => {
      codes.push(coder.codes());
    };
    await readRows(context.open(range.source), range, layout, (day, values) => {
      if (partOf(division, day) !== "train") return;
      const raw = values[values.length - 1] as number;
      const target = cleaner.clean(columns.length - 1, raw);
      for (let column = 0; column < columns.length - 1; column++) {
        values[column] = cleaner.clean(column, values[column] as number);
      }
      // A row without a target has no number; one whose target turns out impossible has.
      if (raw !== raw) return;
      if (target === target) trained++;
      targets.push(target === target ? Math.round((target - frame.base) * frame.scale) : NO_TARGET);
      if (coder.add(day, values)) flush();
    });
    flush();
    context.report({ counts: cleaner.counts(LISTED), rows: trained });
    const width = prepared.features.length;
    const all = joinBytes(codes);
    return Array.from({ length: context.buckets }, (_, block) => {
      const from = clamp(blockStart(frame.rows, context.buckets, block) - first, targets.length);
      const to = clamp(blockStart(frame.rows, context.buckets, block + 1) - first, targets.length);
      return { codes: all.slice(from * width, to * width), targets: Int32Array.from(targets.slice(from, to)) };
    });
  },
});

/** The first row of a block. */
const blockStart = (rows: number, blocks: number, block: number): number => Math.floor((block * rows) / blocks);
const clamp = (at: number, most: number): number => Math.max(0, Math.min(most, at));

function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Puts a block's rows together. */
export const joinBlock = defineTask<readonly CodedRows[], RowBlock, BlockInput>({
  js(parts, { broadcast, partition, allocate }) {
    const rows = parts.reduce((total, part) => total + part.targets.length, 0);
    const codes = allocate(parts.reduce((total, part) => total + part.codes.length, 0));
    const targets = new Int32Array(rows);
    let row = 0;
    let byte = 0;
    for (const part of parts) {
      codes.set(part.codes, byte);
      targets.set(part.targets, row);
      byte += part.codes.length;
      row += part.targets.length;
    }
    return { first: blockStart(broadcast.rows, broadcast.blocks, partition), rows, codes, targets };
  },
});

export type BlockInput = { readonly rows: number; readonly blocks: number };
