import { expect, test } from "vitest";
import { ByteCache } from "./byte-cache.ts";

/** A cache of numbers that weigh what they are, and the keys that were loaded. */
function numbers(budget: number): { get: (key: string, value: number) => Promise<number>; loaded: string[] } {
  const cache = new ByteCache<number>(budget, (value) => value);
  const loaded: string[] = [];
  return {
    loaded,
    get: (key, value) =>
      cache.get(key, () => {
        loaded.push(key);
        return Promise.resolve(value);
      }),
  };
}

test("what is there or on its way is loaded once", async () => {
  const { get, loaded } = numbers(100);
  expect(await Promise.all([get("a", 5), get("a", 6)])).toEqual([5, 5]);
  expect(await get("a", 7)).toBe(5);
  expect(loaded).toEqual(["a"]);
});

test("the least recently used goes when the budget is passed", async () => {
  const { get, loaded } = numbers(100);
  await get("a", 40);
  await get("b", 40);
  await get("a", 40);
  await get("c", 40);
  await get("a", 40);
  await get("b", 40);
  expect(loaded).toEqual(["a", "b", "c", "b"]);
});

test("a single value over the budget is kept while it is the newest", async () => {
  const { get, loaded } = numbers(100);
  await get("huge", 500);
  await get("huge", 500);
  await get("small", 1);
  await get("huge", 500);
  expect(loaded).toEqual(["huge", "small", "huge"]);
});

test("a failed load is tried again", async () => {
  const cache = new ByteCache<number>(100, (value) => value);
  await expect(cache.get("a", () => Promise.reject(new Error("away")))).rejects.toThrow("away");
  expect(await cache.get("a", () => Promise.resolve(3))).toBe(3);
});

test("values are dropped by key", async () => {
  const cache = new ByteCache<number>(100, (value) => value);
  await cache.get("job-1/0", () => Promise.resolve(1));
  await cache.get("job-2/0", () => Promise.resolve(2));
  cache.dropWhere((key) => key.startsWith("job-1/"));
  expect(await cache.get("job-1/0", () => Promise.resolve(3))).toBe(3);
  expect(await cache.get("job-2/0", () => Promise.resolve(4))).toBe(2);
});
