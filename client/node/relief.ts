/** Calls for a collection each time that so many bytes have passed through. */
export class Relief {
  readonly #every: number;
  readonly #collect: (() => void) | undefined;
  #bytes = 0;

  constructor(every: number, collect: (() => void) | undefined) {
    this.#every = every;
    this.#collect = collect;
  }

  passed(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes < this.#every) return;
    this.#bytes = 0;
    this.#collect?.();
  }
}
