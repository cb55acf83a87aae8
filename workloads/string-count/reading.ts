/**
 * Work that reads as it goes. It yields what `ByteReader.readInto` gave back, and is resumed with the number of bytes, at
 * once where the bytes were there and after a promise where they were not: one code path for files and for tabs.
 */
export type Reading<T> = Generator<number | Promise<number>, T, number>;

export function finishReading<T>(reading: Reading<T>): T | Promise<T> {
  let step = reading.next();
  while (step.done !== true) {
    if (typeof step.value !== "number") return finishLater(reading, step.value);
    step = reading.next(step.value);
  }
  return step.value;
}

async function finishLater<T>(reading: Reading<T>, pending: Promise<number>): Promise<T> {
  let step = reading.next(await pending);
  while (step.done !== true) step = reading.next(typeof step.value === "number" ? step.value : await step.value);
  return step.value;
}
