import { expect, test } from "vitest";
import { compactDate, dateOf, dayOf, dayOfYear, isoWeek, parseDay } from "./dates.ts";

test("days are counted as JavaScript's Date counts them, and count back", () => {
  for (let day = dayOf(1896, 2, 27); day < dayOf(2105, 1, 1); day += 13) {
    const date = new Date(day * 86_400_000);
    expect(dateOf(day)).toEqual({
      year: date.getUTCFullYear(),
      month: date.getUTCMonth() + 1,
      date: date.getUTCDate(),
    });
    expect(dayOf(date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate())).toBe(day);
  }
});

// Known answers from the calendar of ISO 8601.
test.each([
  ["2005-01-01", 53, 1],
  ["2005-12-31", 52, 365],
  ["2007-01-01", 1, 1],
  ["2008-12-29", 1, 364],
  ["2010-01-03", 53, 3],
  ["2020-12-31", 53, 366],
  ["2021-01-03", 53, 3],
  ["2021-01-04", 1, 4],
  ["19900101", 1, 1],
  ["20200301", 9, 61],
  ["19000228", 9, 59],
])("%s lies in ISO week %i and is day %i of its year", (text, week, ofYear) => {
  const day = parseDay(text) ?? Number.NaN;
  expect([isoWeek(day), dayOfYear(day)]).toEqual([week, ofYear]);
});

test("reads both forms and refuses what is no day", () => {
  expect(parseDay("1970-01-01")).toBe(0);
  expect(parseDay("20000229")).toBe(parseDay("2000-02-29"));
  expect(compactDate(parseDay("0999-03-04") ?? 0)).toBe("09990304");
  for (const text of [
    "19000229",
    "2021-13-01",
    "20210100",
    "20210431",
    "2021-0101",
    "202101-01",
    "1.1.2021",
    "",
    "20210101x",
  ]) {
    expect(parseDay(text)).toBeUndefined();
  }
});
