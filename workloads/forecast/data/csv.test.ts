import { expect, test } from "vitest";
import { csvField, parseCsv } from "./csv.ts";

test.each([
  [
    "LF",
    "a,b\n1,2\n",
    [
      ["a", "b"],
      ["1", "2"],
    ],
  ],
  [
    "CRLF, no line end at the end",
    "a,b\r\n1,2",
    [
      ["a", "b"],
      ["1", "2"],
    ],
  ],
  [
    "quotes, a doubled quote, a comma and a line end within",
    '"a ""x""","b,\r\nc"\n1,2\n',
    [
      ['a "x"', "b,\r\nc"],
      ["1", "2"],
    ],
  ],
  [
    "empty fields, also the last",
    "a,,c,\n,,,\n",
    [
      ["a", "", "c", ""],
      ["", "", "", ""],
    ],
  ],
  [
    "a comma at the very end",
    "a,b\n1,",
    [
      ["a", "b"],
      ["1", ""],
    ],
  ],
  [
    "an empty quoted field",
    'a,b\n"",""',
    [
      ["a", "b"],
      ["", ""],
    ],
  ],
  [
    "blank lines at the end",
    "a,b\n1,2\n\n\n",
    [
      ["a", "b"],
      ["1", "2"],
    ],
  ],
  ["a blank line between rows is a row", "a,b\n\n1,2", [["a", "b"], [""], ["1", "2"]]],
  [
    "a carriage return of its own is text",
    "a,b\n1\r,2",
    [
      ["a", "b"],
      ["1\r", "2"],
    ],
  ],
  ["nothing", "", []],
])("reads %s", (_name, text, records) => {
  expect(parseCsv(text, "t.csv")).toEqual(records);
});

test.each([
  ['a,b\n1,"2', "t.csv: row 2: a quoted field is not closed"],
  ['a,b\n1,"2"x\n', "t.csv: row 2: text after a closing quote"],
  ['a,b\n1,2"\n', "t.csv: row 2: a quote inside a field"],
])("refuses %j", (text, message) => {
  expect(() => parseCsv(text, "t.csv")).toThrow(message);
});

test("writes what it reads, and nothing that a spreadsheet would run", () => {
  for (const value of ["plain", "a,b", 'say "x"', "two\nlines", ""]) {
    expect(parseCsv(`${csvField(value)},end`, "t.csv")).toEqual([[value, "end"]]);
  }
  expect(csvField('=HYPERLINK("x")')).toBe('"\'=HYPERLINK(""x"")"');
  expect(csvField("@cmd")).toBe("'@cmd");
});
