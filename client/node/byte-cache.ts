interface Entry<V> {
  readonly value: Promise<V>;
  /** 0 until it is here. */
  bytes: number;
}

/** Values by key under a budget of bytes; the least recently used go first. What is being loaded is loaded once. */
export class ByteCache<V> {
  readonly #budget: number;
  readonly #sizeOf: (value: V) => number;
  /** In the order of use. */
  readonly #entries = new Map<string, Entry<V>>();

  constructor(budget: number, sizeOf: (value: V) => number) {
    this.#budget = budget;
    this.#sizeOf = sizeOf;
  }

  get(key: string, load: () => Promise<V>): Promise<V> {
    const known = this.#entries.get(key);
    if (known !== undefined) {
      this.#entries.delete(key);
      this.#entries.set(key, known);
      return known.value;
    }
    const entry: Entry<V> = { value: load(), bytes: 0 };
    this.#entries.set(key, entry);
    entry.value.then(
      (value) => {
        entry.bytes = this.#sizeOf(value);
        this.#evict(entry);
      },
      () => {
        if (this.#entries.get(key) === entry) this.#entries.delete(key);
      },
    );
    return entry.value;
  }

  dropWhere(matches: (key: string) => boolean): void {
    for (const key of this.#entries.keys()) if (matches(key)) this.#entries.delete(key);
  }

  /** Drops what is over the budget, but not `newest`: it is about to be used, however large. */
  #evict(newest: Entry<V>): void {
    let total = 0;
    for (const { bytes } of this.#entries.values()) total += bytes;
    for (const [key, entry] of this.#entries) {
      if (total <= this.#budget) return;
      if (entry === newest || entry.bytes === 0) continue;
      this.#entries.delete(key);
      total -= entry.bytes;
    }
  }
}
