/** A bump allocator: the host lays out one task's arrays, and `reset` forgets them all. */

let top: usize = 0;

/** Set before a trap for want of memory, for the host to tell. */
export let lacksMemory: bool = false;

/** Forgets every allocation. The memory itself is kept for the next task. */
export function reset(): void {
  top = (__heap_base + 15) & ~15;
}

/** `bytes` of memory, 16-byte aligned, contents undefined; traps when the machine has no more, or 4 GiB do not suffice. */
export function allocate(bytes: usize): usize {
  if (top == 0) reset();
  const start = top;
  const end = (<u64>start + bytes + 15) & ~15;
  if (end > 0xffff0000) giveUp();
  top = <usize>end;
  const pages = <i32>((top + 0xffff) >>> 16);
  if (pages > memory.size() && memory.grow(pages - memory.size()) < 0) giveUp();
  return start;
}

function giveUp(): void {
  lacksMemory = true;
  unreachable();
}
