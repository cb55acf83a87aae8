/** Sorts wide keys by all their bytes: items (ordering word at the current depth, entry), refined eight bytes at a time. */
import { allocate } from "./memory";
import { ITEM, keepAll, sortPart } from "./sort";
import { wideWord } from "./wide-entry";
import { listWide, wideCount } from "./wide-keys";

/** Runs that are equal so far and wait to be refined: (first item, items, depth). */
const RUN: usize = 12;
let runs: usize = 0;
let runCount: u32 = 0;

/** Gives the address of all wide keys' items, sorted; only the entries in them mean something. */
export function sortedWide(): usize {
  const count = wideCount();
  const items = allocate(<u64>count * ITEM);
  const spare = allocate(<u64>count * ITEM);
  // Each waiting run has two items or more, and no two share one.
  runs = allocate((<u64>count / 2 + 1) * RUN);
  listWide(items);
  sortWide(items, count, spare);
  return items;
}

/** Sorts `count` items in place, with room for as many at `spare`. */
function sortWide(items: usize, count: u32, spare: usize): void {
  runCount = 0;
  if (count > 0) refine(items, count, 0, items, spare);
  while (runCount > 0) {
    --runCount;
    const run = runs + <usize>runCount * RUN;
    refine(<usize>load<u32>(run), load<u32>(run, 4), <usize>load<u32>(run, 8), items, spare);
  }
}

function refine(run: usize, count: u32, depth: usize, items: usize, spare: usize): void {
  const end = run + <usize>count * ITEM;
  // The first eight bytes are there.
  if (depth > 0) {
    for (let item = run; item < end; item += ITEM) store<u64>(item, wideWord(<usize>load<u32>(item, 8), depth));
  }
  sortPart(run, count, spare + (run - items), run, keepAll);
  for (let first = run; first < end; ) {
    const word = load<u64>(first);
    let next = first + ITEM;
    while (next < end && load<u64>(next) == word) next += ITEM;
    // A zero byte at the word's end: these keys end here, and are equal.
    if (next - first > ITEM && (word & 0xff) != 0) wait(first, <u32>((next - first) / ITEM), depth + 8);
    first = next;
  }
}

function wait(first: usize, count: u32, depth: usize): void {
  const run = runs + <usize>runCount * RUN;
  ++runCount;
  store<u32>(run, first);
  store<u32>(run, count, 4);
  store<u32>(run, <u32>depth, 8);
}
