/** What `auto` times the counting kernels with: the default job's tuples, few enough not to be noticed. */
import type { Probe, ProbeSize } from "kindling";
import type { CsvPart, CsvPlan, TuplePlan } from "./counting.ts";
import { eachTuple, parseAlphabet, type TupleRange, type TupleSpec } from "./tuples.ts";

const TUPLES = { small: 2 ** 7, large: 2 ** 20 };
const SPEC: TupleSpec = { seed: 1, keyLength: 3, maxValue: 10, alphabet: parseAlphabet("A-Z") ?? new Uint8Array() };

export const tupleProbe = (size: ProbeSize): Probe<TupleRange, TuplePlan> => ({
  input: { start: 0, count: TUPLES[size] },
  broadcast: { spec: SPEC, splitters: [] },
});

/** A file of tuples; the large one is the small one again and again. */
export function csvProbe(size: ProbeSize): Probe<CsvPart, CsvPlan> {
  let text = "";
  eachTuple(SPEC, { start: 0, count: TUPLES.small }, (key, value) => {
    text += `${key},${value}\n`;
  });
  const bytes = new TextEncoder().encode(text.repeat(TUPLES[size] / TUPLES.small));
  const dialect = { delimiter: ",".charCodeAt(0), columns: 2, key: 0, value: 1 };
  return {
    input: { range: { source: 0, start: 0, end: bytes.length }, first: 0 },
    broadcast: { dialect, skipBadRows: false, isSample: false, splitters: [] },
    bytes,
  };
}
