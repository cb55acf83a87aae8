import { defineTask, InputError, type SourceRange } from "kindling";
import { parseCsv } from "../data/csv.ts";
import { type Day, formatDate } from "../data/dates.ts";
import { predictorsOf } from "../data/features.ts";
import type { Case } from "../data/holdout.ts";
import type { CleaningCounts, Prepared } from "../data/prepared.ts";
import { checkHeader, place } from "../data/table.ts";
import { type Forest, sumLeaves } from "../forest/forest.ts";
import { NO_TARGET, type RowBlock } from "../rows/block.ts";
import { type DayCounts, divideDays } from "../rows/divide.ts";
import { type Layout, readRows } from "../rows/records.ts";
import { codeFeature, featuresOf, type Part, RowCleaner, type RowRules } from "../rows/rules.ts";
import {
  type Division,
  fitRules,
  joinSurveys,
  type Middle,
  middlesOf,
  partOf,
  type RulesRequest,
  rareOf,
  type Survey,
  Surveyor,
  type SurveyPlan,
  TailGatherer,
  type Tails,
} from "../rows/survey.ts";
import { type Conclusion, conclude } from "./conclude.ts";

/** Bytes in which a header ends. */
const LONGEST_HEADER = 2 ** 20;
/** Each column's values lie in a node's memory, one for each row of a part. */
const MAX_PREDICTORS = 1000;
/** Columns whose counts are reported: a summary is small. */
const LISTED = 30;
/** Rows whose features are made at a time. */
const BATCH = 2048;

export type HeaderInput = {
  readonly source: number;
  readonly date: string;
  readonly target: string;
  /** What to read beside the target: all columns, or these. */
  readonly wanted: "all" | readonly string[];
  readonly withTarget: boolean;
};

/** Finds a file's columns. The predictors come in their own order, then the target. */
export const readHeader = defineTask<HeaderInput, Layout>({
  async js({ source, date, target, wanted, withTarget }, context) {
    const reader = context.open(source);
    const { name, size } = reader;
    if (size === 0) throw new InputError(`${name}: the file is empty; a header and rows are expected`);
    const bytes = new Uint8Array(Math.min(size, LONGEST_HEADER));
    for (let at = 0; at < bytes.length; ) {
      const got = await reader.readInto(bytes.subarray(at), at);
      if (got === 0) throw new InputError(`${name}: the file ended at byte ${at}; it was cut short`);
      at += got;
    }
    const end = bytes.indexOf(10) < 0 ? bytes.length : bytes.indexOf(10) + 1;
    const [fields = []] = parseCsv(decodeHeader(bytes.subarray(0, end), name), name);
    const names = fields.map((field) => field.trim());
    const places = checkHeader(names, name);
    const dateAt = place(places, date, name, "date");
    if (end === size) throw new InputError(`${name}: there is a header but no row below it`);
    const predictors =
      wanted === "all"
        ? predictorsOf(
            names.filter((column) => column !== date),
            target,
          )
        : wanted;
    if (predictors.length > MAX_PREDICTORS) {
      const problem = `${name}: ${predictors.length} columns beside "${date}" and "${target}"`;
      throw new InputError(`${problem}; at most ${MAX_PREDICTORS} are possible, remove those that do not matter`);
    }
    const columns = [...predictors, ...(withTarget ? [target] : [])].map((column) => place(places, column, name));
    return { start: end, names, date: dateAt, columns };
  },
});

function decodeHeader(bytes: Uint8Array, name: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new InputError(`${name}: the file is not UTF-8 text; save it as CSV in UTF-8`, { cause });
  }
}

/** A part of a file. */
export type PartInput = { readonly range: SourceRange; readonly layout: Layout };

/** Counts the rows of each day. */
export const countDays = defineTask<PartInput, DayCounts, undefined, { readonly rows: number }>({
  async js({ range, layout }, context) {
    const counts = new Map<Day, number>();
    const reader = context.open(range.source);
    const end = await readRows(reader, range, { ...layout, columns: [] }, (day) => {
      counts.set(day, (counts.get(day) ?? 0) + 1);
    });
    const days = [...counts.keys()].sort((a, b) => a - b);
    context.report({ rows: end.rows });
    return {
      rows: end.rows,
      blank: end.blank,
      form: end.form ?? null,
      days: Int32Array.from(days),
      counts: Float64Array.from(days, (day) => counts.get(day) ?? 0),
    };
  },
});

export type DivideInput = { readonly wanted: Case; readonly file: string };

/** Decides which days train and which are checked. */
export const divideRows = defineTask<readonly DayCounts[], Division, DivideInput>({
  js: (parts, { broadcast: { wanted, file } }) => divideDays(parts, wanted, file),
});

export type SurveySummary = { readonly trainRows: number };

/** Surveys one part. */
export const surveyRows = defineTask<PartInput, Survey, SurveyPlan, SurveySummary>({
  async js({ range, layout }, context) {
    const surveyor = new Surveyor(context.broadcast, layout.columns.length);
    await readRows(context.open(range.source), range, layout, (day, values, at) => surveyor.take(day, values, at));
    const { survey } = surveyor;
    context.report({ trainRows: survey.target.rows });
    return survey;
  },
});

/** Where each column's tails begin. */
export const findMiddles = defineTask<readonly Survey[], Middle[], Division>({
  js: (parts, { broadcast }) => middlesOf(joinSurveys(parts), broadcast),
});

export type TailsPlan = { readonly middles: readonly Middle[]; readonly division: Division };

/** Gathers the tails of one part's training rows. */
export const gatherTails = defineTask<PartInput, Tails, TailsPlan>({
  async js({ range, layout }, context) {
    const { middles, division } = context.broadcast;
    const gatherer = new TailGatherer(middles);
    await readRows(context.open(range.source), range, layout, (day, values) => {
      if (partOf(division, day) === "train") gatherer.take(values);
    });
    return gatherer.tails;
  },
});

/** Fits cleaning and bins: from surveys, and after them tails where the surveys are of samples. */
export const fitRowRules = defineTask<readonly (Survey | Tails)[], RowRules, RulesRequest>({
  js(parts, { broadcast }) {
    const surveys = parts.filter((part): part is Survey => !Array.isArray(part));
    const tails = parts.filter((part): part is Tails => Array.isArray(part));
    return fitRules(joinSurveys(surveys), tails, broadcast);
  },
});

export type RareInput = { readonly part: Part };

/** The rules (first), with what is rare in another file, of which there are surveys. */
export const judgePart = defineTask<readonly (RowRules | Survey)[], RowRules, RareInput>({
  js([rules, ...surveys], { broadcast: { part } }) {
    const known = rules as RowRules;
    const rare = rareOf(joinSurveys(surveys as Survey[]), known.ranges, () => true);
    return { ...known, rare: { ...known.rare, [part]: rare } };
  },
});

/** What a model's file and results need of the rules. */
export const preparedOf = defineTask<RowRules, Prepared>({ js: ({ prepared }) => prepared });

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

/** Rows on their way to features. */
class RowBatch {
  readonly #rules: RowRules;
  readonly #columns: readonly Float64Array[];
  #days: Day[] = [];

  constructor(rules: RowRules) {
    this.#rules = rules;
    this.#columns = rules.prepared.plan.same.map(() => new Float64Array(BATCH));
  }

  /** Takes a cleaned row; true when the batch is full. */
  add(day: Day, values: Float64Array): boolean {
    const at = this.#days.push(day) - 1;
    this.#columns.forEach((column, place) => {
      column[at] = values[place] as number;
    });
    return at + 1 === BATCH;
  }

  /** [rows × features] of what was taken since the last time. */
  features(): Float64Array {
    const { values } = featuresOf(this.#rules.prepared, this.#days, this.#columns);
    this.#days = [];
    return values;
  }

  codes(): Uint8Array {
    const features = this.features();
    const codes = new Uint8Array(features.length);
    for (let feature = 0; feature < this.#rules.frame.columns; feature++) {
      codeFeature(this.#rules, feature, features, codes);
    }
    return codes;
  }
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

/** Rules and trees: all that predictions need. */
export type RowModel = { readonly rules: RowRules; readonly forest: readonly Forest[] };

/** The rules come first. */
export const joinModel = defineTask<readonly (RowRules | Forest)[], RowModel>({
  js: ([rules, ...forest]) => ({ rules: rules as RowRules, forest: forest as Forest[] }),
});

export type PredictInput = PartInput & {
  readonly part: Part;
  /** Which rows to predict; `null` for all. */
  readonly division: Division | null;
  readonly hasTarget: boolean;
};

/** The predictions of a part's rows, in the file's order. */
export type PredictedRows = {
  readonly days: Int32Array;
  readonly dashed: boolean;
  readonly truth: Float64Array;
  readonly predictions: Float64Array;
};
export type PredictedSummary = { readonly counts: CleaningCounts; readonly rows: number };

/** Predicts a part's rows. True values stay as they came. */
export const predictRows = defineTask<PredictInput, PredictedRows, RowModel, PredictedSummary>({
  async js({ range, layout, part, division, hasTarget }, context) {
    const { rules, forest } = context.broadcast;
    const predictors = rules.columns.length - 1;
    const cleaner = new RowCleaner(rules, part);
    const batch = new RowBatch(rules);
    const days: Day[] = [];
    const truth: number[] = [];
    const predictions: number[] = [];
    const flush = (): void => {
      for (const value of predictBatch(rules, forest, batch.features())) predictions.push(value);
    };
    const end = await readRows(context.open(range.source), range, layout, (day, values) => {
      if (division !== null && partOf(division, day) !== part) return;
      days.push(day);
      truth.push(hasTarget ? (values[predictors] as number) : Number.NaN);
      for (let column = 0; column < predictors; column++) {
        values[column] = cleaner.clean(column, values[column] as number);
      }
      if (batch.add(day, values)) flush();
    });
    flush();
    context.report({ counts: cleaner.counts(LISTED), rows: days.length });
    return {
      days: Int32Array.from(days),
      dashed: end.form === "YYYY-MM-DD",
      truth: Float64Array.from(truth),
      predictions: Float64Array.from(predictions),
    };
  },
});

function predictBatch({ prepared, frame }: RowRules, forest: readonly Forest[], features: Float64Array): Float64Array {
  const columns = prepared.features.length;
  const sums = new Float64Array(features.length / columns);
  let models = 0;
  for (const part of forest) {
    sumLeaves(part, features, columns, sums);
    models += part.models;
  }
  const shift = models * Math.round(frame.base * frame.scale);
  return sums.map((sum) => (sum + shift) / (models * frame.scale));
}

export type ScoreInput = { readonly target: string; readonly part: Part };

/** Puts predictions in the order of days, scores them, writes the result file. */
export const scoreRows = defineTask<readonly PredictedRows[], string, ScoreInput, Conclusion>({
  js(parts, context) {
    const { target, part } = context.broadcast;
    const total = parts.reduce((sum, own) => sum + own.days.length, 0);
    const days = new Int32Array(total);
    const dashed = new Uint8Array(total);
    const truth = new Float64Array(total);
    const values = new Float64Array(total);
    let filled = 0;
    for (const own of parts) {
      days.set(own.days, filled);
      truth.set(own.truth, filled);
      values.set(own.predictions, filled);
      dashed.fill(own.dashed ? 1 : 0, filled, filled + own.days.length);
      filled += own.days.length;
    }
    const order = Uint32Array.from(days.keys()).sort((a, b) => (days[a] as number) - (days[b] as number) || a - b);
    const query = {
      dates: Array.from(order, (row) => formatDate(days[row] as Day, dashed[row] === 1)),
      features: new Float64Array(0),
      truth: Float64Array.from(order, (row) => truth[row] as number),
    };
    const result = { target, series: null, header: true, queries: { [part]: query } };
    const predictions = Float64Array.from(order, (row) => values[row] as number);
    return conclude({ ...context, broadcast: result }, () => predictions);
  },
});
