import { type ByteReader, defineTask, InputError, type TaskContext, type Value } from "kindling";
import { type FeatureOptions, planFeatures, predictorsOf } from "../data/features.ts";
import { type PlainTable, plainTable, seriesOf, sortByDay, splitSeries } from "../data/series.ts";
import { type KeyColumns, readTable, type Table, takeRows } from "../data/table.ts";

/** Bytes of one input file, which is held as text. */
const MAX_FILE = 2 ** 28;
/** Days from a file's first to its last. A longer span is a wrong year, and would fill the memory with missing days. */
const LONGEST_SPAN = 146_097;
/** Each column's list of rows lies in a node's memory. */
const MAX_PREDICTORS = 1000;

export type SurveyInput = { readonly source: number; readonly keys: KeyColumns };

/** The names of the series in a file. */
export const survey = defineTask<SurveyInput, string[]>({
  async js({ source, keys }, context) {
    const { series, name } = await read(context, source, keys, () => []);
    return seriesOf(series ?? [], name);
  },
});

export type ReadInput = {
  /** Ordinals. */
  readonly sources: { readonly observed: number; readonly future: number | null; readonly actual: number | null };
  readonly target: string;
  readonly keys: KeyColumns;
  readonly features: FeatureOptions;
  /** The names of the series, one a bucket; `null` where the files hold a single one. */
  readonly series: readonly string[] | null;
};

/** The files' rows of one series. */
export type SeriesTables = {
  readonly name: string | null;
  /** Sorted by day. */
  readonly observed: PlainTable;
  readonly predictors: readonly string[];
  readonly future: PlainTable | null;
  /** With what it is to be predicted from. */
  readonly actual: PlainTable | null;
};

export type ReadSummary = { readonly notes: readonly string[] };

/** Reads and checks the files, and divides them into series. */
export const readFiles = defineTask<ReadInput, readonly SeriesTables[], undefined, ReadSummary>({
  async js(input, context) {
    const { sources, target, keys } = input;
    const observed = await read(context, sources.observed, keys, (header) => {
      const predictors = predictorsOf(header, target);
      if (predictors.length > MAX_PREDICTORS) {
        const { name } = context.open(sources.observed);
        const problem = `${name}: ${predictors.length} columns beside "${keys.date}" and "${target}"`;
        throw new InputError(`${problem}; at most ${MAX_PREDICTORS} are possible, remove those that do not matter`);
      }
      return [target, ...predictors];
    });
    checkSpan(observed);
    const predictors = predictorsOf([...observed.columns.keys()], target);
    const { same } = planFeatures(input.features, predictors, target, observed.name);
    const notes: string[] = [];
    const future =
      sources.future === null
        ? null
        : await read(context, sources.future, keys, (header) => {
            if (header.includes(target)) {
              notes.push(`the future file's column "${target}" is not used; give the file as --actual to score it`);
            }
            return same;
          });
    const actual =
      sources.actual === null
        ? null
        : await read(context, sources.actual, keys, (header) =>
            same.every((column) => header.includes(column)) ? [target, ...same] : [target],
          );
    context.report({ notes });
    const split = (table: Table): Table[] => (input.series === null ? [table] : splitSeries(table, input.series));
    const [observations, futures, actuals] = [split(observed), future && split(future), actual && split(actual)];
    return observations.map((table, at) => {
      const own = { future: futures?.[at] ?? null, actual: actuals?.[at] ?? null };
      const asked = own.actual && withPredictors(own.actual, own.future, same, target, input.series === null);
      return {
        name: input.series?.[at] ?? null,
        observed: plainTable(sortByDay(table)),
        predictors,
        future: own.future && plainTable(own.future),
        actual: asked && plainTable(asked),
      };
    });
  },
});

/**
 * `actual` with what it is predicted from: its own columns, or the future's rows of the same days. `isWhole`: it has all of
 * its file's rows.
 */
function withPredictors(
  actual: Table,
  future: Table | null,
  columns: readonly string[],
  target: string,
  isWhole: boolean,
): Table {
  if (columns.every((column) => actual.columns.has(column))) return actual;
  const rowOf = new Map(future?.days.map((day, row) => [day, row]));
  const rows = actual.days.map((day, index) => {
    const row = rowOf.get(day);
    if (row !== undefined) return row;
    const what = future === null ? "there is no --future file" : `it is not in ${future.name}`;
    const where = isWhole ? `row ${index + 2}: ` : "";
    throw new InputError(
      `${actual.name}: ${where}${actual.dates[index]} cannot be predicted: ${what}, and the file lacks columns to predict from`,
    );
  });
  const asked = future === null ? actual : takeRows(future, rows);
  const truth = actual.columns.get(target) ?? new Float64Array(rows.length);
  return { ...asked, name: actual.name, columns: new Map([...asked.columns, [target, truth]]) };
}

/** Reads a whole CSV file; `wanted` as for `readTable`. */
export async function read<B, S extends Value>(
  context: TaskContext<B, S>,
  source: number,
  keys: KeyColumns,
  wanted: (header: readonly string[]) => readonly string[],
): Promise<Table> {
  const reader = context.open(source);
  return readTable(await readAll(reader), reader.name, keys, wanted);
}

function checkSpan({ name, dates, days }: Table): void {
  const first = days.reduce((best, day, row) => (day < (days[best] as number) ? row : best), 0);
  const last = days.reduce((best, day, row) => (day > (days[best] as number) ? row : best), 0);
  if ((days[last] as number) - (days[first] as number) <= LONGEST_SPAN) return;
  const [from, to] = [first, last].map((row) => `${dates[row]} (row ${row + 2})`);
  throw new InputError(
    `${name}: the dates run from ${from} to ${to}, over more than 400 years; correct the wrong year`,
  );
}

export async function readAll(reader: ByteReader): Promise<Uint8Array> {
  if (reader.size > MAX_FILE) {
    throw new InputError(`${reader.name}: ${reader.size} bytes; at most ${MAX_FILE} can be read`);
  }
  const bytes = new Uint8Array(reader.size);
  for (let at = 0; at < bytes.length; ) {
    const read = await reader.readInto(bytes.subarray(at), at);
    if (read === 0)
      throw new InputError(`${reader.name}: the file ended at byte ${at} of ${bytes.length}; it was cut short`);
    at += read;
  }
  return bytes;
}
