import { expect, test } from "vitest";
import { readTable } from "./data/table.ts";
import { syntheticWeather } from "./synthetic.ts";

const weather = syntheticWeather(1);
const read = (text: string) => readTable(new TextEncoder().encode(text), "w.csv", { date: "date" }, (header) => header);

test("holds every day from 1990 to 2021 once", () => {
  const tables = [read(weather.observed), read(weather.actual), read(weather.future)];
  expect(tables.map(({ dates }) => [dates[0], dates.at(-1), dates.length])).toEqual([
    ["19900101", "20200930", 11_231],
    ["20201001", "20201231", 92],
    ["20210101", "20211231", 365],
  ]);
  const days = tables.flatMap((table) => table.days);
  expect(days.every((day, row) => row === 0 || day === (days[row - 1] as number) + 1)).toBe(true);
  expect([...(tables[2]?.columns.keys() ?? [])]).toEqual(["temp", "wind", "rainfall"]);
});

test("is weather: warm summers, dry and wet days, humidity in per cent", () => {
  const { columns, days } = read(weather.observed);
  const mean = (name: string, keep: (row: number) => boolean): number => {
    const kept = [...(columns.get(name) ?? [])].filter((_, row) => keep(row));
    return kept.reduce((sum, value) => sum + value, 0) / kept.length;
  };
  const summer = (row: number): boolean => Math.floor((((days[row] as number) % 365.25) + 365.25) / 30.4) % 12 === 6;
  expect(mean("temp", summer)).toBeGreaterThan(mean("temp", () => true) + 5);
  const dry = [...(columns.get("rainfall") ?? [])].filter((rain) => rain === 0).length / days.length;
  expect(dry).toBeGreaterThan(0.4);
  expect(dry).toBeLessThan(0.7);
  const humidity = [...(columns.get("humidity") ?? [])];
  expect(humidity.every((value) => value > 5 && value <= 100)).toBe(true);
});

test("is the same everywhere for a seed, and another for another", async () => {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(weather.observed + weather.future));
  expect(new Uint8Array(digest).toHex()).toMatchInlineSnapshot(
    `"39b29779ad3f00d4ad652efdc4cc3a2cfca6956ccc93ad822a7b360090727a84"`,
  );
  expect(syntheticWeather(2).observed).not.toBe(weather.observed);
});
