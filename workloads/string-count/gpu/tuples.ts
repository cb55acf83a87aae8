import type { Gpu } from "kindling";
import { lettersPerWord, type TupleRange, type TupleSpec, wordsPerTuple } from "../tuples.ts";
import { type Batch, GROUP, RECORD_WORDS } from "./tally.ts";
import source from "./tuples.wgsl";

/** Words of keys, and tuples, of one batch. */
const BATCH_WORDS = 2 ** 23;
const BATCH_TUPLES = 2 ** 21;

/** Makes the tuples of a range on the GPU, batch by batch; each is there while it is the last one given. */
export async function* tuplesOnGpu(gpu: Gpu, spec: TupleSpec, range: TupleRange): AsyncGenerator<Batch> {
  const program = await gpu.program("string-count/tuples", source);
  const words = Math.ceil(spec.keyLength / 4);
  const most = Math.min(BATCH_TUPLES, Math.floor(BATCH_WORDS / words));
  for (let done = 0; done < range.count; done += most) {
    const count = Math.min(most, range.count - done);
    const settings = gpu.buffer(settingsOf(spec, range.start + done));
    // The last word is read ahead.
    const text = gpu.buffer(count * words + 1);
    const records = gpu.buffer(count * RECORD_WORDS);
    gpu.run([{ program, buffers: [settings, text, records], groups: Math.ceil(count / GROUP) }]);
    yield { text, records, count, bytes: async () => new Uint8Array((await gpu.read(text)).buffer) };
    gpu.free(settings, text, records);
  }
}

/** The struct Spec of tuples.wgsl. */
function settingsOf(spec: TupleSpec, start: number): Uint32Array {
  const { seed, keyLength, maxValue, alphabet } = spec;
  const word = start * wordsPerTuple(spec);
  const letters = alphabet.length;
  const place = [word >>> 0, Math.floor(word / 2 ** 32)];
  const shape = [wordsPerTuple(spec), lettersPerWord(letters), keyLength, maxValue, letters];
  return Uint32Array.from([seed, ...place, ...shape, ...alphabet]);
}
