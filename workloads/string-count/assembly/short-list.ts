/** Short keys as a list of (big-endian word, value), in place of a table or after it: sorting will combine it. */
import { allocate } from "./memory";
import { areUtf8Words } from "./utf8";

const LISTED: usize = 16;
const HIGH_BITS: u64 = 0x8080808080808080;

/** Whether short keys go to the list. */
export let isList: bool = false;
let list: usize = 0;
let listAt: usize = 0;
let listEnd: usize = 0;

export function resetList(): void {
  isList = false;
}

/** From now on (or, in merging, from the start) short keys go to the list. */
export function useList(capacity: u32): void {
  isList = true;
  list = allocate(<u64>capacity * LISTED);
  listAt = list;
  listEnd = list + <usize>capacity * LISTED;
}

/** Appends a batch's (key, value) up to the first key that is not ASCII, or as many as the list has room for. */
export function appendAscii(item: usize, end: usize): usize {
  let to = listAt;
  const most = min(end, item + (listEnd - to));
  for (; item < most; item += LISTED) {
    const key = load<u64>(item);
    if ((key & HIGH_BITS) != 0) break;
    store<u64>(to, bswap<u64>(key));
    store<u64>(to, load<u64>(item, 8), 8);
    to += LISTED;
  }
  listAt = to;
  return item;
}

/** Appends a key as it lies in memory; false, with nothing done, if it is not UTF-8. */
export function appendChecked(key: u64, value: i64): bool {
  if (!areUtf8Words(key, 0, 0)) return false;
  append(bswap<u64>(key), value);
  return true;
}

/** Puts a big-endian word and a value on the list. */
// @ts-ignore: decorator
@inline
export function append(word: u64, value: i64): void {
  if (listAt == listEnd) growList();
  store<u64>(listAt, word);
  store<i64>(listAt, value, 8);
  listAt += LISTED;
}

function growList(): void {
  const bytes = listEnd - list;
  const grown = allocate(<u64>bytes * 2);
  memory.copy(grown, list, bytes);
  list = grown;
  listAt = grown + bytes;
  listEnd = grown + bytes * 2;
}

export function startOfList(): usize {
  return list;
}
export function endOfList(): usize {
  return listAt;
}
