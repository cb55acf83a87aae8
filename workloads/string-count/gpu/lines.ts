import type { ByteReader, Gpu, GpuBuffer } from "kindling";
import type { Dialect } from "../counting.ts";
import { LF, MAX_RECORD_BYTES } from "../csv.ts";
import countLines from "./count-lines.wgsl";
import findLines from "./find-lines.wgsl";
import parse from "./parse.wgsl";
import { type Batch, GROUP, RECORD_WORDS } from "./tally.ts";
import text from "./text.wgsl";

/** Bytes of a file that the GPU sees at once; a multiple of what a workgroup reads. */
const BATCH_BYTES = 2 ** 24;
/** Bytes that an invocation searches for line ends. */
const STRETCH = 64;
/** Bytes to read on, first, for the end of a line. */
const READ_ON = 2 ** 16;
const QUOTE = 34;
const NUL = 0;

/** Plain lines as records: all of a file's records that begin in some range of it. */
export interface Lines extends Batch {
  readonly blank: number;
  /** Where in the file the next record begins. */
  readonly next: number;
}

/**
 * The records of plain text from `first` on that begin before `end`, batch by batch; each is in GPU memory while it is the last one
 * given. Says so, and ends, where the text has a quote, a NUL, or anything that the reference parser has to judge.
 */
export async function* linesOnGpu(
  gpu: Gpu,
  reader: ByteReader,
  first: number,
  end: number,
  dialect: Dialect,
  isSample: boolean,
): AsyncGenerator<Lines | "not plain"> {
  for (let at = first; at < end; ) {
    const bytes = await readLines(reader, at, Math.min(at + BATCH_BYTES, end));
    const lines = bytes === undefined ? undefined : await recordsOf(gpu, bytes, dialect, isSample);
    if (bytes === undefined || lines === undefined) {
      yield "not plain";
      return;
    }
    // A last line without a line end was given one.
    at = Math.min(at + bytes.length, reader.size);
    yield { ...lines, next: at };
    gpu.free(lines.records, lines.text);
  }
}

/** Whole lines: up to the first line end from the last byte before `until` on. Undefined where they are not plain. */
async function readLines(reader: ByteReader, from: number, until: number): Promise<Uint8Array | undefined> {
  let bytes = new Uint8Array(until - from);
  let length = await fill(reader, bytes, from);
  let searched = until - from - 1;
  for (let more = READ_ON; ; more *= 2) {
    const found = bytes.subarray(0, length).indexOf(LF, searched);
    if (found >= 0) length = found + 1;
    if (found >= 0 || from + length >= reader.size) break;
    if (from + length - until >= MAX_RECORD_BYTES) return undefined;
    searched = length;
    const longer = new Uint8Array(length + more);
    longer.set(bytes);
    bytes = longer;
    length += await fill(reader, bytes.subarray(length), from + length);
  }
  const plain = bytes.subarray(0, length);
  if (plain.includes(QUOTE) || plain.includes(NUL)) return undefined;
  if (plain[length - 1] === LF) return plain;
  const ended = new Uint8Array(length + 1);
  ended.set(plain);
  ended[length] = LF;
  return ended;
}

async function fill(reader: ByteReader, target: Uint8Array, from: number): Promise<number> {
  let length = 0;
  while (length < target.length) {
    const got = await reader.readInto(target.subarray(length), from + length);
    if (got === 0) break;
    length += got;
  }
  return length;
}

type Records = Batch & { readonly blank: number };

/** Undefined if a line is not as it should be. */
async function recordsOf(
  gpu: Gpu,
  bytes: Uint8Array,
  dialect: Dialect,
  isSample: boolean,
): Promise<Records | undefined> {
  const padded = new Uint8Array(Math.ceil(bytes.length / 4) * 4 + 4);
  padded.set(bytes);
  const letters = gpu.buffer(padded);
  const size = gpu.buffer(Uint32Array.of(bytes.length));
  const ends = await lineEnds(gpu, letters, size, bytes.length);
  const { delimiter, columns, key, value } = dialect;
  const settings = Uint32Array.of(delimiter, columns, key, value, MAX_RECORD_BYTES, Number(isSample));
  const records = gpu.buffer(ends.words * RECORD_WORDS);
  const findings = gpu.buffer(3);
  const dialectBuffer = gpu.buffer(settings);
  const program = await gpu.program("string-count/parse", text + parse);
  const buffers = [letters, ends, dialectBuffer, findings, records];
  gpu.run([{ program, buffers, groups: Math.ceil(ends.words / GROUP) }]);
  const [problems = 0, notAscii = 0, blank = 0] = await gpu.read(findings);
  gpu.free(size, ends, findings, dialectBuffer);
  const isPlain = problems === 0 && (notAscii === 0 || isUtf8(bytes));
  if (isPlain) return { records, count: ends.words, text: letters, blank, bytes: () => bytes };
  gpu.free(letters, records);
  return undefined;
}

/** Where each line ends: blocks are counted, added up here, and then searched. */
async function lineEnds(gpu: Gpu, letters: GpuBuffer, size: GpuBuffer, length: number): Promise<GpuBuffer> {
  const groups = Math.ceil(length / (GROUP * STRETCH));
  const counts = gpu.buffer(groups);
  const counting = await gpu.program("string-count/count-lines", text + countLines);
  gpu.run([{ program: counting, buffers: [letters, size, counts], groups }]);
  const before = await gpu.read(counts);
  let lines = 0;
  before.forEach((count, block) => {
    before[block] = lines;
    lines += count;
  });
  const beforeBuffer = gpu.buffer(before);
  const ends = gpu.buffer(lines);
  const finding = await gpu.program("string-count/find-lines", text + findLines);
  gpu.run([{ program: finding, buffers: [letters, size, beforeBuffer, ends], groups }]);
  gpu.free(counts, beforeBuffer);
  return ends;
}

/** Each key is UTF-8 if all text is, since what lies around it is ASCII. */
function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}
