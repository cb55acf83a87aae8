import { expect, test } from "vitest";
import { csvField, readRecord, skipToRecord } from "./csv.ts";
import { utf8 } from "./testing.ts";

const COMMA = 44;

test.each([
  ["a,b\nc", ["a", "b"], 4],
  ["a,b\r\nc", ["a", "b"], 5],
  ['"a,b","c\nd"\n', ["a,b", "c\nd"], 12],
  ['"say ""hi""",""\n', ['say "hi"', ""], 16],
  ['a"b,c\n', ['a"b', "c"], 6],
  ["a\rb,\r\n", ["a\rb", ""], 6],
  ['"q"\r\n', ["q"], 5],
  [",\n", ["", ""], 2],
])("the first record of %j", (text, fields, next) => {
  const record = readRecord(utf8(text), 0, COMMA);
  expect(record?.fields.map((field) => field.text)).toEqual(fields);
  expect(record).toMatchObject({ next, blank: false, hasNul: false });
  expect(record?.fields.some((field) => field.badQuote)).toBe(false);
});

test("blank records, NUL bytes and text after a closing quote are told", () => {
  for (const text of ["\na", "\r\na"]) expect(readRecord(utf8(text), 0, COMMA)?.blank).toBe(true);
  expect(readRecord(utf8('""\n'), 0, COMMA)?.blank).toBe(false);
  expect(readRecord(utf8("a\0,b\n"), 0, COMMA)?.hasNul).toBe(true);
  expect(readRecord(utf8('x,"a"b,c\n'), 0, COMMA)?.fields.map((field) => field.badQuote)).toEqual([false, true, false]);
});

test.each(["a,b", '"a\n', '"a"', '"a""'])("%j does not end", (text) => {
  expect(readRecord(utf8(text), 0, COMMA)).toBeUndefined();
});

test("a guess passes over line ends in quotes", () => {
  expect(skipToRecord(utf8('a"b\nc"d\ne'), 0)).toBe(8);
  expect(skipToRecord(utf8('a"b\nc'), 0)).toBeUndefined();
});

test.each([
  ["a", "a"],
  ["", ""],
  ["a,b", '"a,b"'],
  ['a"', '"a"""'],
  ["a\rb", '"a\rb"'],
  ["=1+1", "=1+1"],
])("%j is written as %s", (text, written) => expect(csvField(text)).toBe(written));
