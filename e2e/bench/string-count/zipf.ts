/**
 * Tuples of Zipf words: `words` distinct keys of 1 to 24 bytes of UTF-8, of which the one of rank r is drawn with a
 * probability proportional to 1 / r, and values of 1 to 10. The same bytes for the same specification, everywhere.
 *
 * Words: the length in bytes is uniform in 1 … 24; letters are a … z and, where two bytes are left, also ä, ö, ü and ß, all
 * equally likely; a word that is there already is drawn again one byte longer (24 at most), so that few short words stay
 * short. Ranks are drawn by Walker's alias method as Vose builds it (M. D. Vose, 1991).
 */
import { mulHigh, philox4x32 } from "../../../shared/math/philox.ts";
import { philoxRng } from "../../../shared/rng.ts";

export interface ZipfSpec {
  readonly words: number;
  readonly rows: number;
  /** Unsigned 32 bits. */
  readonly seed: number;
}

const LONGEST = 24;
const LETTERS = [..."abcdefghijklmnopqrstuvwxyzäöüß"];
const ASCII_LETTERS = 26;
const MAX_VALUE = 10;
/** Streams of one seed. */
const STREAM = { words: 0, rows: 1 } as const;
const CHUNK = 1 << 20;
const HEADER = "key,value\n";

/** Distinct words, the most frequent one first. */
export function zipfWords({ words, seed }: Pick<ZipfSpec, "words" | "seed">): string[] {
  const rng = philoxRng(seed, STREAM.words);
  const drawn = new Set<string>();
  while (drawn.size < words) {
    let length = 1 + rng.below(LONGEST);
    let word = "";
    do {
      word = "";
      for (let left = length; left > 0; ) {
        const letter = rng.below(left >= 2 ? LETTERS.length : ASCII_LETTERS);
        word += LETTERS[letter] ?? "";
        left -= letter < ASCII_LETTERS ? 1 : 2;
      }
      length = Math.min(LONGEST, length + 1);
    } while (drawn.has(word));
    drawn.add(word);
  }
  return [...drawn];
}

/** Draws index i with a probability proportional to `weights[i]`, from two uniform words of 32 bits. */
export function aliasSampler(weights: Float64Array): (column: number, coin: number) => number {
  const count = weights.length;
  const mean = weights.reduce((sum, weight) => sum + weight, 0) / count;
  const share = weights.map((weight) => weight / mean);
  const keep = new Uint32Array(count).fill(2 ** 32 - 1);
  const alias = Uint32Array.from(weights, (_, index) => index);
  const small: number[] = [];
  const large: number[] = [];
  share.forEach((value, index) => (value < 1 ? small : large).push(index));
  for (let from = small.pop(), to = large.pop(); from !== undefined && to !== undefined; ) {
    keep[from] = Math.floor((share[from] ?? 0) * 2 ** 32);
    alias[from] = to;
    share[to] = (share[to] ?? 0) + (share[from] ?? 0) - 1;
    from = small.pop();
    if ((share[to] ?? 0) < 1) {
      if (from !== undefined) small.push(to);
      else from = to;
      to = large.pop();
    }
  }
  return (column, coin) => {
    const index = mulHigh(column, count);
    return coin < (keep[index] ?? 0) ? index : (alias[index] ?? 0);
  };
}

/** The CSV file, header included, in chunks that are valid until the next one is asked for. */
export function* zipfCsv(spec: ZipfSpec): Generator<Uint8Array> {
  const words = zipfWords(spec).map((word) => Buffer.from(`${word},`));
  const sample = aliasSampler(Float64Array.from(words, (_, rank) => 1 / (rank + 1)));
  const values = Array.from({ length: MAX_VALUE }, (_, value) => Buffer.from(`${value + 1}\n`));
  const chunk = Buffer.alloc(CHUNK);
  const random = new Uint32Array(4);
  let used = chunk.write(HEADER);
  for (let row = 0; row < spec.rows; row++) {
    philox4x32(random, 0, [row >>> 0, Math.floor(row / 2 ** 32), 0, 0], [spec.seed, STREAM.rows]);
    const word = words[sample(random[0] ?? 0, random[1] ?? 0)];
    const value = values[mulHigh(random[2] ?? 0, MAX_VALUE)];
    if (word === undefined || value === undefined) throw new Error(`row ${row} drew no word or value`);
    chunk.set(word, used);
    chunk.set(value, used + word.length);
    used += word.length + value.length;
    if (used > CHUNK - 64) {
      yield chunk.subarray(0, used);
      used = 0;
    }
  }
  yield chunk.subarray(0, used);
}
