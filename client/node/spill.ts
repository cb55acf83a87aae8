import { freeBytes } from "../worker/share.ts";
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

/** What names and messages of one chunk leave behind, about: with many small chunks that is most of it. */
const TRACE_BYTES = 1024;

/** Where bytes go that the memory has no room for. The file grows until nothing in it is wanted any more. */
export class Spill {
  readonly #open: () => SpillFile;
  readonly #relief: Relief | undefined;
  #file: SpillFile | undefined;
  #end = 0;
  #wanted = 0;

  /** The file is opened when it is needed. `relief` hears of bytes whose memory waits for a collection. */
  constructor(open: () => SpillFile, relief?: Relief) {
    this.#open = open;
    this.#relief = relief;
  }

  /** Takes the bytes over, whose memory is free then unless it is shared; gives where they lie. */
  write(bytes: Uint8Array): number {
    this.#file ??= this.#open();
    const at = this.#end;
    const { byteLength } = bytes;
    this.#file.write(bytes, at);
    this.#end += byteLength;
    this.#wanted++;
    const left = freeBytes(bytes) ? TRACE_BYTES : byteLength;
    this.#relief?.passed(left);
    return at;
  }

  /** `moves`: whoever reads them gives their memory away. */
  read(at: number, bytes: number, moves: boolean): Uint8Array<ArrayBuffer> {
    const target = new Uint8Array(bytes);
    this.#file?.read(target, at);
    this.#relief?.passed(moves ? TRACE_BYTES : bytes);
    return target;
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
