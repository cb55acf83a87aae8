/** What ../kernel.ts calls: addresses and counts in, addresses and counts out. */
import { flushDirect, resetDirect } from "./direct";
import { encodeBuckets, setSplitters } from "./entries";
import { endFrequent, resetFrequent } from "./frequent";
import { expectTuples, resetShortKeys } from "./keys";
import { allocate, resetMemory } from "./memory";
import { beginMerge, readEntries } from "./read-entries";
import { setDialect, skipToRecord } from "./record";
import { keys, resultEnd, sumHigh, sumLow, topCount, topPlaces, writeResult } from "./result";
import { addRun, beginRuns, resetRuns } from "./runs";
import {
  beginScan,
  problem,
  problemAt,
  problemColumn,
  problemLength,
  rows,
  scanRecords,
  skipped,
  tuples,
} from "./scan";
import { keyAt, keyLength, sortCounted, sortMerged, startRuns } from "./sorted";
import { beginTuples, countTuples, textEnd, writeTuples } from "./tuples";
import { drawn, drawnOnce, drawnTwice, listed, listKeys } from "./survey";
import { countedShare, resetWideKeys } from "./wide-keys";
import { addWideRun, beginWideRuns, resetWideRuns } from "./wide-runs";

export { addRun, addWideRun, beginMerge, beginScan, countedShare, expectTuples, beginTuples, countTuples, readEntries, scanRecords, setDialect, setSplitters };
export { listKeys, skipToRecord, sortMerged, writeResult, writeTuples };
export { lacksMemory } from "./memory";
export * from "./parquet/combine";

/** Forgets the task before. */
export function begin(): void {
  resetMemory();
  resetDirect();
  resetFrequent();
  resetRuns();
  resetWideRuns();
  resetShortKeys();
  resetWideKeys();
}

export function take(bytes: u32): usize {
  return allocate(bytes);
}

/** Prepares to merge so many runs with so many entries in all; adding runs is next. */
export function beginMergeOfRuns(count: u32, entries: u32): void {
  startRuns();
  beginRuns(count, entries);
}

/** Prepares to merge so many runs with keys of up to 24 bytes. */
export function beginMergeOfWideRuns(count: u32): void {
  startRuns();
  beginWideRuns(count);
}

/** Sorts what was counted and encodes it; gives where the buckets' bounds are. */
export function finishCount(): usize {
  endFrequent();
  flushDirect(true);
  sortCounted();
  return encodeBuckets();
}

export function rowCount(): f64 {
  return <f64>rows;
}
export function tupleCount(): f64 {
  return <f64>tuples;
}
export function skippedCount(): f64 {
  return <f64>skipped;
}
export function problemCode(): u32 {
  return problem;
}
export function problemField(): i32 {
  return problemColumn;
}
export function problemAddress(): usize {
  return problemAt;
}
export function problemSize(): usize {
  return problemLength;
}
export function currentKey(): usize {
  return keyAt;
}
export function currentKeyLength(): usize {
  return keyLength;
}
export function resultLimit(): usize {
  return resultEnd;
}
export function keyCount(): u32 {
  return keys;
}
export function listedCount(): u32 {
  return listed;
}
export function drawnCount(): f64 {
  return drawn;
}
export function drawnOnceCount(): u32 {
  return drawnOnce;
}
export function drawnTwiceCount(): u32 {
  return drawnTwice;
}
export function sumUpper(): i64 {
  return sumHigh;
}
export function sumLower(): i64 {
  return sumLow;
}
export function topAddress(): usize {
  return topPlaces();
}
export function topSize(): u32 {
  return topCount();
}
export function textLimit(): usize {
  return textEnd;
}
