import { expect, test } from "vitest";
import { philoxRng } from "../../shared/rng.ts";
import { Heap } from "./heap.ts";

test("items come out in order, whatever the order they went in", () => {
  const rng = philoxRng(1, 1);
  for (let size = 0; size < 40; size++) {
    const numbers = Array.from({ length: size }, () => rng.below(20));
    const heap = new Heap<number>((a, b) => a - b);
    for (const number of numbers) heap.push(number);
    expect(heap.size).toBe(size);
    const sorted = numbers.toSorted((a, b) => a - b);
    expect(heap.peek()).toBe(sorted[0]);
    expect(sorted.map(() => heap.pop())).toEqual(sorted);
    expect(heap.pop()).toBeUndefined();
  }
});

test("pushes between pops keep the order", () => {
  const heap = new Heap<number>((a, b) => b - a);
  const out: (number | undefined)[] = [];
  for (const number of [5, 1, 4]) heap.push(number);
  out.push(heap.pop());
  heap.push(9);
  heap.push(2);
  while (heap.size > 0) out.push(heap.pop());
  expect(out).toEqual([5, 9, 4, 2, 1]);
});
