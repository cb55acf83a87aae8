/** A chunk on its way: what has come stays, whoever brings the rest. */
export class PartialChunk {
  readonly #target: Uint8Array<ArrayBuffer>;
  #received = 0;

  constructor(bytes: number) {
    this.#target = new Uint8Array(bytes);
  }

  get size(): number {
    return this.#target.byteLength;
  }

  get received(): number {
    return this.#received;
  }

  get isComplete(): boolean {
    return this.#received === this.size;
  }

  /** What is there so far. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#target.subarray(0, this.#received);
  }

  /** Takes the next bytes; false, taking none, if they are more than the chunk has. */
  append(bytes: Uint8Array): boolean {
    if (this.#received + bytes.byteLength > this.size) return false;
    this.#target.set(bytes, this.#received);
    this.#received += bytes.byteLength;
    return true;
  }

  /** What came was wrong: begin anew. */
  discard(): void {
    this.#received = 0;
  }
}
