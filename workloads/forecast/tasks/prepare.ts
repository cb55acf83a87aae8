import { type ByteReader, defineTask, InputError, type TaskContext } from "kindling";
import { predictorsOf } from "../data/features.ts";
import { divide } from "../data/holdout.ts";
import { type CleaningCounts, type Prepared, prepareTables } from "../data/prepared.ts";
import { readTable, type Table, takeRows } from "../data/table.ts";

/** Bytes of one input file, which is held as text. */
const MAX_FILE = 2 ** 28;
/** Each column's list of rows lies in a node's memory. */
const MAX_PREDICTORS = 1000;
/** Columns whose counts are reported: a summary is small. */
const LISTED = 30;

export type PrepareInput = {
  /** Train on the rows before the holdout and ask for the holdout, or train on all and ask for the other files. */
  readonly stage: "holdout" | "full";
  /** Ordinals. */
  readonly sources: { readonly observed: number; readonly future: number | null; readonly actual: number | null };
  readonly target: string;
  readonly date: string;
  /** A share or FROM..TO. */
  readonly holdout: string;
};

export type PrepareSummary = {
  readonly features: number;
  /** By part: train, and each query. At most LISTED columns each. */
  readonly counts: Readonly<Record<string, CleaningCounts>>;
  readonly rows: Readonly<Record<string, number>>;
};

/** Reads the files, cleans them, makes features, ranks them. */
export const prepare = defineTask<PrepareInput, Prepared, undefined, PrepareSummary>({
  async js(input, context) {
    const { sources, target, date } = input;
    const observed = await read(context, sources.observed, date, (header) => [target, ...predictorsOf(header, target)]);
    const predictors = predictorsOf([...observed.columns.keys()], target);
    if (predictors.length > MAX_PREDICTORS) {
      const message = `${predictors.length} columns beside "${date}" and "${target}"; at most ${MAX_PREDICTORS} are possible`;
      throw new InputError(`${observed.name}: ${message}, remove those that do not matter`);
    }
    const sorted = takeRows(observed, sortedByDay(observed));
    const parts =
      input.stage === "holdout"
        ? holdOut(sorted, input.holdout)
        : { train: sorted, queries: await readQueries(input, predictors, context) };
    const { prepared, counts } = prepareTables(parts.train, parts.queries, predictors, target);
    const asked = Object.entries(prepared.queries).map(([name, query]) => [name, query.dates.length] as const);
    context.report({
      features: prepared.features.length,
      counts: Object.fromEntries(Object.entries(counts).map(([part, columns]) => [part, firstColumns(columns)])),
      rows: { train: prepared.training.rows, ...Object.fromEntries(asked) },
    });
    return prepared;
  },
});

type Parts = { readonly train: Table; readonly queries: Readonly<Record<string, Table>> };

function holdOut(observed: Table, holdout: string): Parts {
  const { train, check } = divide(observed.days, holdout, observed.name);
  return { train: takeRows(observed, train), queries: { holdout: takeRows(observed, check) } };
}

/** The days to predict: those of the future file, and those with known values to score against. */
async function readQueries(
  { sources, target, date }: PrepareInput,
  predictors: readonly string[],
  context: TaskContext<undefined, PrepareSummary>,
): Promise<Parts["queries"]> {
  const queries: Record<string, Table> = {};
  if (sources.future !== null) queries["future"] = await read(context, sources.future, date, () => predictors);
  if (sources.actual !== null) {
    const actual = await read(context, sources.actual, date, (header) =>
      predictors.every((column) => header.includes(column)) ? [target, ...predictors] : [target],
    );
    const complete = predictors.every((column) => actual.columns.has(column));
    queries["actual"] = complete ? actual : joinTruth(queries["future"], actual, target);
  }
  return queries;
}

/** The future's rows of the days in `actual`, with its target. */
function joinTruth(future: Table | undefined, actual: Table, target: string): Table {
  const rowOf = new Map(future?.days.map((day, row) => [day, row]));
  const rows = actual.days.map((day, index) => {
    const row = rowOf.get(day);
    if (row !== undefined) return row;
    const what = future === undefined ? "there is no --future file" : `it is not in ${future.name}`;
    throw new InputError(
      `${actual.name}: row ${index + 2}: ${actual.dates[index]} cannot be predicted: ${what}, and the file lacks columns to predict from`,
    );
  });
  const asked = future === undefined ? actual : takeRows(future, rows);
  const truth = actual.columns.get(target) ?? new Float64Array(rows.length);
  return { ...asked, name: actual.name, columns: new Map([...asked.columns, [target, truth]]) };
}

async function read(
  context: TaskContext<undefined, PrepareSummary>,
  source: number,
  date: string,
  wanted: (header: readonly string[]) => readonly string[],
): Promise<Table> {
  const reader = context.open(source);
  return readTable(await readAll(reader), reader.name, date, wanted);
}

async function readAll(reader: ByteReader): Promise<Uint8Array> {
  if (reader.size > MAX_FILE) {
    throw new InputError(`${reader.name}: ${reader.size} bytes; a table of daily values has at most ${MAX_FILE}`);
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

const sortedByDay = ({ days }: Table): number[] =>
  [...days.keys()].sort((a, b) => (days[a] as number) - (days[b] as number));

const firstColumns = (counts: CleaningCounts): CleaningCounts =>
  Object.fromEntries(Object.entries(counts).slice(0, LISTED));
