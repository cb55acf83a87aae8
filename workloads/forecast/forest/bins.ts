import { MISSING_RANK, type TrainingSet } from "./training-set.ts";

/**
 * Merges neighbouring values until no column has more than `maxBins` of them, each with about as many rows: a rank becomes
 * a bin. A value's bin is ⌊rows below it × maxBins / known rows⌋, without the bins that stay empty. Columns with fewer
 * distinct values stay as they are, and so does a set where all do.
 */
export function binTrainingSet(set: TrainingSet, maxBins: number | undefined): TrainingSet {
  const widest = set.valueStart.reduce((most, start, at) => Math.max(most, start - (set.valueStart[at - 1] ?? 0)), 0);
  if (maxBins === undefined || widest <= maxBins) return set;
  const ranks = set.ranks.slice();
  const valueStart = new Uint32Array(set.columns + 1);
  const values: number[] = [];
  const uppers: number[] = [];
  for (let column = 0; column < set.columns; column++) {
    const from = column * set.rows;
    const firstValue = set.valueStart[column] as number;
    const distinct = (set.valueStart[column + 1] as number) - firstValue;
    let known = set.rows;
    while (known > 0 && set.ranks[from + known - 1] === MISSING_RANK) known--;
    let last = -1;
    let bin = -1;
    for (let place = 0, rank = -1; place < known; place++) {
      if (set.ranks[from + place] !== rank) {
        rank = set.ranks[from + place] as number;
        const value = set.values[firstValue + rank] as number;
        const wanted = distinct <= maxBins ? rank : Math.floor((place * maxBins) / known);
        if (wanted > last) {
          last = wanted;
          bin++;
          values.push(value);
          uppers.push(value);
        }
        uppers[uppers.length - 1] = value;
      }
      ranks[from + place] = bin;
    }
    valueStart[column + 1] = values.length;
  }
  return { ...set, ranks, values: Float64Array.from(values), uppers: Float64Array.from(uppers), valueStart };
}
