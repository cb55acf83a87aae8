import { mulHigh, philox4x32 } from "../../shared/math/philox.ts";
import type { ByteString } from "./bytes.ts";

/** What generated tuples look like; README.md specifies them for others. */
export type TupleSpec = {
  /** Unsigned 32-bit. */
  readonly seed: number;
  /** The letters' bytes, ascending, each once. */
  readonly alphabet: Uint8Array;
  readonly keyLength: number;
  readonly maxValue: number;
};

/** Tuples [start, start + count). */
export type TupleRange = { readonly start: number; readonly count: number };

/** The letters of an alphabet such as `A-Z`, `a-z0-9` or `xyz`, ascending; undefined if the text is no alphabet. */
export function parseAlphabet(text: string): Uint8Array | undefined {
  if (!/^[\x20-\x7e]+$/.test(text)) return undefined;
  const letters = new Set<number>();
  for (let at = 0; at < text.length; at++) {
    const from = text.charCodeAt(at);
    const isRange = text[at + 1] === "-" && at + 2 < text.length;
    const to = isRange ? text.charCodeAt(at + 2) : from;
    if (to < from) return undefined;
    for (let letter = from; letter <= to; letter++) letters.add(letter);
    if (isRange) at += 2;
  }
  return Uint8Array.from(letters).sort();
}

/** Four letters from a word where the alphabet is small enough for that: no letter is off by more than 2⁻¹². */
export const lettersPerWord = (letters: number): number => (letters <= 32 ? 4 : 3);
export const wordsPerTuple = (spec: TupleSpec): number =>
  Math.ceil(spec.keyLength / lettersPerWord(spec.alphabet.length)) + 1;

/** Calls back with the tuples of a range, in order. */
export function eachTuple(spec: TupleSpec, range: TupleRange, visit: (key: ByteString, value: number) => void): void {
  const letters = spec.alphabet.length;
  const perWord = lettersPerWord(letters);
  const word = wordsFrom(spec.seed, range.start * wordsPerTuple(spec));
  for (let left = range.count; left > 0; left--) {
    let key = "";
    let rest = 0;
    for (let at = 0; at < spec.keyLength; at++) {
      if (at % perWord === 0) rest = word();
      key += String.fromCharCode(spec.alphabet[mulHigh(rest, letters)] as number);
      rest = Math.imul(rest, letters) >>> 0;
    }
    visit(key, 1 + mulHigh(word(), spec.maxValue));
  }
}

/** The words of the sequence (seed, 0) from number `start` on. */
function wordsFrom(seed: number, start: number): () => number {
  const block = new Uint32Array(4);
  let next = start;
  let held = -1;
  return () => {
    const index = Math.floor(next / 4);
    if (index !== held) {
      philox4x32(block, 0, [index >>> 0, Math.floor(index / 2 ** 32), 0, 0], [seed, 0]);
      held = index;
    }
    return block[next++ % 4] as number;
  };
}
