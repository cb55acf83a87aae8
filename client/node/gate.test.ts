import { expect, test } from "vitest";
import { Gate } from "./gate.ts";

test("no more than the places are taken, in order, and failures give theirs back", async () => {
  const gate = new Gate(2);
  const begun: number[] = [];
  const ends = [0, 1, 2, 3, 4].map(() => Promise.withResolvers<number>());
  const runs = ends.map(({ promise }, index) =>
    gate.run(() => {
      begun.push(index);
      return promise;
    }),
  );
  const settled = Promise.allSettled(runs);
  expect(begun).toEqual([0, 1]);
  ends[1]?.reject(new Error("broken"));
  await expect(runs[1]).rejects.toThrow("broken");
  expect(begun).toEqual([0, 1, 2]);
  ends.forEach(({ resolve }, index) => resolve(index));
  await settled;
  expect(begun).toEqual([0, 1, 2, 3, 4]);
  expect(await gate.run(() => Promise.resolve("free again"))).toBe("free again");
});
