/** Histograms in slots that nodes take and give back. */
import { allocate } from "./memory";

let histograms: usize = 0;
let bytes: usize = 0;
/** A stack of the slots that are free. */
let free: usize = 0;
let freeCount: u32 = 0;

/** Room for so many histograms of `cells` cells of 16 bytes each. */
export function allocateSlots(slots: u32, cells: u32): void {
  bytes = <usize>cells << 4;
  histograms = allocate(slots * bytes);
  free = allocate(<usize>slots << 2);
  for (let slot: u32 = 0; slot < slots; slot++) store<u32>(free + (<usize>slot << 2), slots - 1 - slot);
  freeCount = slots;
}

export function histogramOf(slot: u32): usize {
  return histograms + slot * bytes;
}

export function takeSlot(): u32 {
  freeCount--;
  return load<u32>(free + (<usize>freeCount << 2));
}

export function giveSlot(slot: u32): void {
  store<u32>(free + (<usize>freeCount << 2), slot);
  freeCount++;
}
