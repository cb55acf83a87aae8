import type { Dataset } from "kindling";

/** What counting gives, from whichever source. */
export interface Counted {
  readonly shards: Dataset<Uint8Array>;
  readonly tuples: number;
  readonly skippedRows: number;
  /** Names of the result's two columns. */
  readonly columns: readonly [string, string];
  /** Whose sums these are, for messages. */
  readonly subject: string;
}

/** Files that one stage counts, since they have the same columns. */
export interface FileGroup {
  /** About how many bytes of CSV they are. */
  readonly bytes: number;
  /** How often each key occurs in some places, and the share of the group that these are. */
  sample(): Promise<{
    readonly shards: Dataset<Uint8Array>;
    readonly tuples: number;
    readonly share: number;
  }>;
  count(splitters: readonly string[]): Promise<{
    readonly shards: Dataset<Uint8Array>;
    readonly tuples: number;
    readonly skippedRows: number;
  }>;
}
