/** Nodes still to grow: a stack, so that a tree grows depth first. */
import { allocate } from "./memory";

/** Bytes of a node: v128 (sum, weight), u32 start, end, node, depth, u64 note, which is its grower's own. */
const ENTRY: usize = 48;

/** Behind the node that is next. A tree leaves it where it was. */
export let top: usize = 0;

/** At most so many nodes wait at a time. */
export function allocatePending(nodes: u32): void {
  top = allocate(<usize>nodes * ENTRY);
}

/** Node number `node`, whose rows are the segment [start, end) and whose targets and weights come to `total`. */
export function push(start: u32, end: u32, node: u32, depth: u32, note: u64, total: v128): void {
  v128.store(top, total);
  store<u32>(top, start, 16);
  store<u32>(top, end, 20);
  store<u32>(top, node, 24);
  store<u32>(top, depth, 28);
  store<u64>(top, note, 32);
  top += ENTRY;
}

/** Takes the next node; its entry can be read until something is pushed. */
// @ts-ignore: decorator
@inline
export function pop(): usize {
  top -= ENTRY;
  return top;
}

// @ts-ignore: decorator
@inline
export function totalOf(entry: usize): v128 {
  return v128.load(entry);
}

// @ts-ignore: decorator
@inline
export function startOf(entry: usize): u32 {
  return load<u32>(entry, 16);
}

// @ts-ignore: decorator
@inline
export function endOf(entry: usize): u32 {
  return load<u32>(entry, 20);
}

// @ts-ignore: decorator
@inline
export function nodeOf(entry: usize): u32 {
  return load<u32>(entry, 24);
}

// @ts-ignore: decorator
@inline
export function depthOf(entry: usize): u32 {
  return load<u32>(entry, 28);
}

// @ts-ignore: decorator
@inline
export function noteOf(entry: usize): u64 {
  return load<u64>(entry, 32);
}
