/** A collection is cheap beside passing so many bytes through: however much memory there is, no more of it lies idle. */
const MOST_BYTES = 2 ** 26;

/** Calls for a collection each time that so many bytes have passed through, or 64 MiB. */
export class Relief {
  readonly #every: number;
  readonly #collect: (() => void) | undefined;
  #bytes = 0;

  constructor(every: number, collect: (() => void) | undefined) {
    this.#every = Math.min(every, MOST_BYTES);
    this.#collect = collect;
  }

  passed(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes < this.#every) return;
    this.#bytes = 0;
    this.#collect?.();
  }
}
