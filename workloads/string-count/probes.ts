/** What `auto` times the counting kernels with: the default job's tuples, few enough not to be noticed. */
import type { Probe, ProbeSize } from "kindling";
import type { CsvPart, CsvPlan, TuplePlan } from "./counting.ts";
import type { ParquetPart, ParquetPlan } from "./parquet/plan.ts";
import { writeRows } from "./parquet/write.ts";
import { eachTuple, parseAlphabet, type TupleRange, type TupleSpec } from "./tuples.ts";

const TUPLES = { small: 2 ** 7, large: 2 ** 20 };
/** Fewer, since the GPU's kernel has them decoded by the reference. */
const PARQUET_ROWS = { small: TUPLES.small, large: 2 ** 17 };
const SPEC: TupleSpec = { seed: 1, keyLength: 3, maxValue: 10, alphabet: parseAlphabet("A-Z") ?? new Uint8Array() };

export const tupleProbe = (size: ProbeSize): Probe<TupleRange, TuplePlan> => ({
  input: { start: 0, count: TUPLES[size] },
  broadcast: { spec: SPEC, splitters: [] },
});

/** A file of tuples; the large one is the small one again and again. */
export function csvProbe(size: ProbeSize): Probe<CsvPart, CsvPlan> {
  const bytes = lines(TUPLES[size]);
  const dialect = { delimiter: ",".charCodeAt(0), columns: 2, key: 0, value: 1 };
  return {
    input: { range: { source: 0, start: 0, end: bytes.length }, first: 0 },
    broadcast: { dialect, skipBadRows: false, isSample: false, splitters: [] },
    bytes,
  };
}

export function parquetProbe(size: ProbeSize): Probe<ParquetPart, ParquetPlan> {
  const { bytes, group } = writeRows(lines(PARQUET_ROWS[size]));
  const columns = {
    key: "key",
    value: "value",
    keyIsOptional: false,
    valueIsOptional: false,
    valueType: "INT64",
  } as const;
  return {
    input: { source: 0, groups: [group], range: null, most: group.rows },
    broadcast: { ...columns, skipBadRows: false, isSample: false, splitters: [] },
    bytes,
  };
}

/** So many tuples as CSV: the small probe's, again and again. */
function lines(count: number): Uint8Array {
  let text = "";
  eachTuple(SPEC, { start: 0, count: TUPLES.small }, (key, value) => {
    text += `${key},${value}\n`;
  });
  return new TextEncoder().encode(text.repeat(count / TUPLES.small));
}
