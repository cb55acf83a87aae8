/** Memory of one task: taken from the end of the static data upwards, all given back when the next task begins. */

let top: usize = 0;

/** Set before a trap for want of memory, for the host to tell. */
export let lacksMemory: bool = false;

export function resetMemory(): void {
  top = align(__heap_base);
}

/** Uninitialised bytes, on a cache line's border. Traps when the machine has no more, or 4 GiB do not suffice. */
export function allocate(bytes: u64): usize {
  const at = top;
  const end = <u64>at + bytes;
  if (end > 0xffff0000) giveUp();
  top = align(<usize>end);
  ensure(top);
  return at;
}

export function allocateZeroed(bytes: u64): usize {
  const at = allocate(bytes);
  memory.fill(at, 0, <usize>bytes);
  return at;
}

/** Makes the bytes up to `end` usable, without taking them: for a last region that grows while it is written. */
export function ensure(end: usize): void {
  const pages = <i32>((end + 0xffff) >>> 16) - memory.size();
  if (pages > 0 && memory.grow(pages) < 0) giveUp();
}

function giveUp(): void {
  lacksMemory = true;
  unreachable();
}

/** Where the next allocation will lie. */
export function memoryTop(): usize {
  return top;
}

function align(at: usize): usize {
  return (at + 63) & ~63;
}
