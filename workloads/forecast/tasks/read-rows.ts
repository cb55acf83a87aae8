import { type ByteReader, defineTask, InputError, type SourceRange } from "kindling";
import { parseCsv } from "../data/csv.ts";
import type { Day } from "../data/dates.ts";
import { predictorsOf } from "../data/features.ts";
import type { Case } from "../data/holdout.ts";
import type { Prepared } from "../data/prepared.ts";
import { checkHeader, place } from "../data/table.ts";
import { type DayCounts, divideDays } from "../rows/divide.ts";
import { fitRules, repairsOf, type RulesRequest } from "../rows/fit-rules.ts";
import { type Layout, readRows } from "../rows/records.ts";
import type { Part, RowRules } from "../rows/rules.ts";
import { type Division, joinSurveys, partOf, type Survey, Surveyor, type SurveyPlan } from "../rows/survey.ts";
import { type Middle, middlesOf, TailGatherer, type Tails } from "../rows/tails.ts";

/** Bytes in which a header ends. */
const LONGEST_HEADER = 2 ** 20;
/** Each column's values lie in a node's memory, one for each row of a part. */
const MAX_PREDICTORS = 1000;
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

/** The days of a part's rows whose target, the last column, is known; each once. */
export const gatherDays = defineTask<PartInput, Int32Array>({
  async js({ range, layout }, context) {
    const days = new Set<Day>();
    await readKnown(context.open(range.source), range, layout, (day) => days.add(day));
    return Int32Array.from(days);
  },
});

export const joinDays = defineTask<readonly Int32Array[], Int32Array>({
  js: (parts) => Int32Array.from(new Set(parts.flatMap((days) => [...days]))),
});

/** Counts the rows of a part whose target is known and whose day is among these. */
export const countSeen = defineTask<PartInput, null, Int32Array, { readonly seen: number }>({
  async js({ range, layout }, context) {
    const known = new Set(context.broadcast);
    let seen = 0;
    await readKnown(context.open(range.source), range, layout, (day) => {
      if (known.has(day)) seen++;
    });
    context.report({ seen });
    return null;
  },
});

const readKnown = (reader: ByteReader, range: SourceRange, layout: Layout, take: (day: Day) => void) =>
  readRows(reader, range, { ...layout, columns: layout.columns.slice(-1) }, (day, [target]) => {
    if (target === target) take(day);
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

export type JudgedPart = { readonly part: Part };

/** The rules (first), with what is repaired in another file, of which there are surveys. */
export const judgePart = defineTask<readonly (RowRules | Survey)[], RowRules, JudgedPart>({
  js([rules, ...surveys], { broadcast: { part } }) {
    const known = rules as RowRules;
    const repairs = repairsOf(joinSurveys(surveys as Survey[]), known.ranges);
    return { ...known, repairs: { ...known.repairs, [part]: repairs } };
  },
});

/** What a model's file and results need of the rules. */
export const preparedOf = defineTask<RowRules, Prepared>({ js: ({ prepared }) => prepared });
