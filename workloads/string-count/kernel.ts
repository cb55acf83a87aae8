/** The WASM kernel's exports (assembly/index.ts). Addresses and lengths are bytes in its memory. */
export interface KernelExports {
  readonly memory: WebAssembly.Memory;
  begin(): void;
  take(bytes: number): number;
  expectTuples(count: number): void;
  countedShare(share: number): void;
  setSplitters(at: number, count: number): void;
  finishCount(): number;
  beginTuples(seed: number, keyLength: number, alphabet: number, letters: number, maxValue: number): void;
  countTuples(first: number, count: number): void;
  writeTuples(first: number, count: number): number;
  textLimit(): number;
  setDialect(delimiter: number, columns: number, key: number, value: number): void;
  beginScan(skipBadRows: boolean, isSample: boolean): void;
  scanRecords(at: number, end: number, limit: number, isFinal: boolean): number;
  skipToRecord(at: number, end: number): number;
  rowCount(): number;
  tupleCount(): number;
  skippedCount(): number;
  problemCode(): number;
  problemField(): number;
  problemAddress(): number;
  problemSize(): number;
  beginMergeOfRuns(runs: number, entries: number): void;
  addRun(at: number): void;
  beginMergeOfWideRuns(runs: number): void;
  addWideRun(at: number): void;
  beginMerge(entries: number): void;
  readEntries(at: number): void;
  sortMerged(): boolean;
  currentKey(): number;
  currentKeyLength(): number;
  writeResult(headerLength: number, top: number): number;
  resultLimit(): number;
  keyCount(): number;
  listKeys(most: number): number;
  listedCount(): number;
  drawnCount(): number;
  drawnOnceCount(): number;
  drawnTwiceCount(): number;
  sumUpper(): bigint;
  sumLower(): bigint;
  topAddress(): number;
  topSize(): number;
}

/** An instance of the kernel, with its memory seen as bytes. */
export interface Kernel {
  readonly calls: KernelExports;
  /** The bytes [at, at + length) of its memory as it is now; growing the memory detaches them. */
  bytes(at: number, length: number): Uint8Array;
  /** Copies bytes into its memory, with room to read 32 more; gives their address. */
  put(bytes: Uint8Array): number;
}

const READ_AHEAD = 32;

/** Exports that give an address, which comes as a signed number: negative from 2 GiB on. */
const ADDRESSES = [
  "take",
  "finishCount",
  "writeTuples",
  "textLimit",
  "scanRecords",
  "skipToRecord",
  "problemAddress",
  "currentKey",
  "writeResult",
  "resultLimit",
  "listKeys",
  "topAddress",
  "parquetProblemAt",
] as const;

export function kernelOf(exports: WebAssembly.Exports): Kernel {
  const calls = { ...exports, ...unsigned(exports) } as unknown as KernelExports;
  const bytes = (at: number, length: number) => new Uint8Array(calls.memory.buffer, at, length);
  return {
    calls,
    bytes,
    put(data) {
      const at = calls.take(data.length + READ_AHEAD);
      bytes(at, data.length).set(data);
      return at;
    },
  };
}

function unsigned(exports: WebAssembly.Exports): Record<string, (...values: number[]) => number> {
  return Object.fromEntries(
    ADDRESSES.map((name) => {
      const call = exports[name] as (...values: unknown[]) => number;
      return [name, (...values: unknown[]) => call(...values) >>> 0];
    }),
  );
}
