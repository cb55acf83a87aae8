import type { OpenedSource } from "../executor.ts";

/** An input that nodes may read ranges of. */
export interface ReadableSource extends OpenedSource {
  /** Where it lies, if nodes of this process may open it themselves. */
  readonly path: string | null;
  /** A piece holds until the next is asked for. */
  read(start: number, end: number): AsyncIterable<Uint8Array>;
  /** The job is over. */
  close?(): Promise<void>;
}

/** Turns a `file()` parameter into a source. Rejects with `InputError`. */
export type OpenFile = (file: string) => Promise<ReadableSource>;
