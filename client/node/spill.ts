import type { Relief } from "./relief.ts";

/** A file of this node's own, read and written at once: of a headless process, or in a tab's private file system. */
export interface SpillFile {
  write(bytes: Uint8Array, at: number): void;
  /** Fills `target`. */
  read(target: Uint8Array, at: number): void;
  /** Nothing in it is wanted any more: gives its space back. */
  clear(): void;
  /** Deletes it. */
  close(): void;
}

/** Bytes that were written out. */
export interface Spilled {
  readonly at: number;
  readonly bytes: number;
}

/** Where bytes go that the memory has no room for. The file grows until nothing in it is wanted any more. */
export class Spill {
  readonly #open: () => SpillFile;
  readonly #relief: Relief | undefined;
  #file: SpillFile | undefined;
  #end = 0;
  #wanted = 0;

  /** The file is opened when it is needed. `relief` hears of all bytes that pass through the memory. */
  constructor(open: () => SpillFile, relief?: Relief) {
    this.#open = open;
    this.#relief = relief;
  }

  write(bytes: Uint8Array): Spilled {
    this.#file ??= this.#open();
    const at = this.#end;
    this.#file.write(bytes, at);
    this.#end += bytes.byteLength;
    this.#wanted++;
    this.#relief?.passed(bytes.byteLength);
    return { at, bytes: bytes.byteLength };
  }

  read({ at }: Spilled, target: Uint8Array): void {
    this.#file?.read(target, at);
    this.#relief?.passed(target.byteLength);
  }

  drop(): void {
    if (--this.#wanted > 0) return;
    this.#end = 0;
    this.#file?.clear();
  }

  close(): void {
    this.#file?.close();
    this.#file = undefined;
    this.#end = 0;
    this.#wanted = 0;
  }
}
