import type { TaskContext } from "kindling";
import type { ByteString } from "../bytes.ts";
import { encodeBuckets, KeySums } from "../key-sums.ts";
import type { Reading } from "../reading.ts";
import type { ParquetPart, ParquetPlan } from "./plan.ts";
import type { ParquetSummary } from "./problems.ts";
import { eachRow, type RowVisitor, type StoredKey } from "./rows.ts";

/** The reference kernel for row groups of a Parquet file. */
export function* countParquetJs(
  part: ParquetPart,
  context: TaskContext<ParquetPlan, ParquetSummary>,
): Reading<readonly Uint8Array[]> {
  const sums = new KeySums();
  const summary = yield* eachRow(part, context, new GroupSums((key, sum) => sums.add(key, sum)));
  context.progress(summary.tuples);
  context.report(summary);
  return encodeBuckets(summary.bad === null ? sums.entries() : [], context.broadcast.splitters);
}

/** Sums a dictionary's keys for themselves, row group by row group: it decides which sums overflow on the way. */
export class GroupSums implements RowVisitor {
  readonly #add: (key: ByteString, sum: bigint) => void;
  readonly #shared = new Map<StoredKey, bigint>();

  constructor(add: (key: ByteString, sum: bigint) => void) {
    this.#add = add;
  }

  row(key: StoredKey, value: bigint): void {
    if (!key.isShared) {
      this.#add(key.text, value);
      return;
    }
    const before = this.#shared.get(key) ?? 0n;
    const sum = before + value;
    const fits = BigInt.asIntN(64, sum) === sum;
    if (!fits) this.#add(key.text, before);
    this.#shared.set(key, fits ? sum : value);
  }

  endGroup(dictionary: readonly StoredKey[]): void {
    for (const key of dictionary) {
      const sum = this.#shared.get(key);
      if (sum !== undefined) this.#add(key.text, sum);
    }
    this.#shared.clear();
  }
}
