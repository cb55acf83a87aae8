import { expect, test } from "vitest";
import { readTable } from "./table.ts";

const read = (text: string) => readTable(new TextEncoder().encode(text), "w.csv", { date: "date" }, (header) => header);

test("reads dates and numbers in any column order; empty cells are missing", () => {
  const table = read("\ufefftemp,date, wind \r\n1.5,20200102,\r\n-2e1,20200101,NA\r\n");
  expect(table.dates).toEqual(["20200102", "20200101"]);
  expect(table.days).toEqual([18263, 18262]);
  expect([...(table.columns.get("temp") ?? [])]).toEqual([1.5, -20]);
  expect([...(table.columns.get("wind") ?? [])]).toEqual([Number.NaN, Number.NaN]);
});

test.each([
  ["", "w.csv: the file is empty"],
  ["\n\n", "w.csv: the file is empty"],
  ["date,temp\n", "w.csv: there is a header but no row"],
  ["date,temp\n20200101,1\n20200102\n", "w.csv: row 3 has 1 field where the header has 2"],
  ["date,temp\n20200101,1,5\n", "w.csv: row 2 has 3 fields where the header has 2"],
  ["date,temp\n20200101,1\n\n20200102,1\n", "w.csv: row 3 has 1 field"],
  ["day,temp\n20200101,1\n", 'w.csv: row 1: the column "date" is missing (choose the date column with --date)'],
  ["day;temp\n20200101;1\n", "the file has day;temp; columns must be separated by commas"],
  ["day\ttemp\n20200101\t1\n", "columns must be separated by commas"],
  ["date,temp\r20200101,1\r", "w.csv: its lines end in CR alone"],
  ["date,temp\n20200101,warm\n", 'w.csv: row 2, column "temp": "warm" is not a number'],
  ["date,temp\n20200101,1e999\n", 'w.csv: row 2, column "temp": "1e999" is beyond ±1e+75'],
  ["date,temp\n20200101,0x10\n", '"0x10" is not a number'],
  ["date,temp\n20200101,Infinity\n", '"Infinity" is not a number'],
  ["date,temp\n20200101,1\u0000\n", "is not a number"],
  ["date,temp\n20200231,1\n", 'w.csv: row 2, column "date": "20200231" is no date'],
  ["date,temp\n20200101,1\n20200101,2\n", 'w.csv: row 3, column "date": 20200101 stands in row 2 already'],
  [
    "date,temp\n20200101,1\n2020-01-02,2\n",
    'w.csv: row 3, column "date": 2020-01-02 is not written as YYYYMMDD, as the dates above are',
  ],
  ["date,temp,temp\n20200101,1,2\n", 'w.csv: row 1: the column "temp" stands there twice'],
  ["date,__proto__\n20200101,1\n", "w.csv: row 1: column 2 cannot be named __proto__"],
  [`date,${"x".repeat(101)}\n20200101,1\n`, "w.csv: row 1: column 2 cannot be named xxx"],
  ["date,\n20200101,1\n", "w.csv: row 1: column 2 has no name"],
])("refuses %j", (text, message) => {
  expect(() => read(text)).toThrow(message);
});

test("refuses bytes that are not UTF-8, and names a column that is needed", () => {
  const bytes = Uint8Array.from([0x64, 0xe4, 0x2c, 0x62]);
  expect(() => readTable(bytes, "w.csv", { date: "date" }, (header) => header)).toThrow("w.csv: the file is not UTF-8");
  const text = new TextEncoder().encode("date,temp\n20200101,1\n");
  expect(() => readTable(text, "w.csv", { date: "date" }, () => ["humidity"])).toThrow(
    'w.csv: row 1: the column "humidity" is missing; the file has date, temp',
  );
});
