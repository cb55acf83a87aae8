/**
 * A table of entries (see wide-entry.ts). They lie in the order in which their keys came, so that those of frequent keys, which come
 * early, share cache lines and pages; an index of four bytes a place finds them. A hash's uppermost bits tell the bucket of four places
 * that is looked at first, the bits below are a tag that a place has beside the entry's number. A free place is zero: no tag is.
 */
import { allocate, allocateZeroed } from "./memory";
import { WIDE_ENTRY } from "./wide-entry";

const FIRST_PLACES_LOG2: u32 = 12;
export const BUCKET: usize = 16;
export const PLACE: usize = 4;

export let entries: usize = 0;
/** How many there are, and how many may be before the table must grow. */
export let used: u32 = 0;
export let limit: u32 = 0;

export let index: usize = 0;
let placesLog2: u32 = 0;
/** Takes a bucket's number from a hash. */
export let bucketShift: u64 = 0;
/** Takes a tag from a hash's upper half, into the bits above those of numbers; and the lowest of its bits, which every tag has. */
export let tagShift: u32 = 0;
export let lowestTag: u32 = 0;

export function resetTable(): void {
  entries = 0;
  used = 0;
  limit = 0;
  placesLog2 = FIRST_PLACES_LOG2 - 1;
}

/** Of a key's three words; the uppermost bits are the best. The products do not wait for each other. */
// @ts-ignore: decorator
@inline
export function hashOf(key0: u64, key1: u64, key2: u64): u64 {
  return key0 * 0x9fb21c651e98df25 + key1 * 0xa0761d6478bd642f + key2 * 0xe7037ed1a0b428db;
}

/** Of an entry's first three words. Of long keys the first one is a hash already, and the others are not known before they are found. */
// @ts-ignore: decorator
@inline
export function entryHash(key0: u64, key1: u64, key2: u64): u64 {
  return key0 >> 56 != 0 ? hashOf(key0, key1, key2) : hashOf(key0, 0, 0);
}

/** Offset of the bucket that is looked at first. */
// @ts-ignore: decorator
@inline
export function bucketOf(hash: u64, shift: u64): usize {
  return <usize>(hash >> shift) * BUCKET;
}

// @ts-ignore: decorator
@inline
export function tagOf(hash: u64, shift: u32, lowest: u32): u32 {
  return ((<u32>(hash >> 32) << shift) & (0 - lowest)) | lowest;
}

/** Mask of offsets: after the last place comes the first. */
// @ts-ignore: decorator
@inline
export function wrapMask(): usize {
  return (<usize>1 << <usize>placesLog2) * PLACE - 1;
}

/** The first place from offset `at` on that has an entry with this tag, or else is free. */
export function placeFrom(at: usize, tag: u32): usize {
  const tags = 0 - lowestTag;
  const around = wrapMask();
  let place = at & around;
  let found = load<u32>(index + place);
  while (found != 0 && (found & tags) != tag) {
    place = (place + PLACE) & around;
    found = load<u32>(index + place);
  }
  return place;
}

/** The entry of a place; 0 if it is free. */
// @ts-ignore: decorator
@inline
export function entryAt(place: usize): usize {
  const found = load<u32>(index + place);
  return found == 0 ? 0 : entries + <usize>(found & (lowestTag - 1)) * WIDE_ENTRY;
}

/** Gives a free place an entry, which the caller fills. There must be room. */
// @ts-ignore: decorator
@inline
export function newEntry(place: usize, tag: u32): usize {
  store<u32>(index + place, tag | used);
  const entry = entries + <usize>used * WIDE_ENTRY;
  ++used;
  return entry;
}

/** Makes room for twice as many entries, or for `foreseen` at once: what the table was is lost memory. */
export function growTable(foreseen: u32): void {
  do {
    ++placesLog2;
    limit = ((<u32>1 << placesLog2) / 8) * 5;
  } while (limit < foreseen);
  const old = entries;
  bucketShift = 66 - <u64>placesLog2;
  tagShift = placesLog2 - 2;
  lowestTag = <u32>1 << placesLog2;
  index = allocateZeroed(<u64>lowestTag * PLACE);
  entries = allocate(<u64>limit * WIDE_ENTRY);
  memory.copy(entries, old, <usize>used * WIDE_ENTRY);
  const around = wrapMask();
  for (let number: u32 = 0; number < used; ++number) {
    const entry = entries + <usize>number * WIDE_ENTRY;
    const hash = entryHash(load<u64>(entry), load<u64>(entry, 8), load<u64>(entry, 16));
    let place = bucketOf(hash, bucketShift);
    while (load<u32>(index + place) != 0) place = (place + PLACE) & around;
    store<u32>(index + place, tagOf(hash, tagShift, lowestTag) | number);
  }
}
