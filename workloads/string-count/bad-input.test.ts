import { expect, test } from "vitest";
import { MAX_RECORD_BYTES } from "./csv.ts";
import { failureOf, resultText, runBoth, utf8 } from "./testing.ts";
import stringCount from "./workload.ts";

const bytes = (...parts: readonly (string | readonly number[])[]): Uint8Array =>
  Uint8Array.from(parts.flatMap((part) => (typeof part === "string" ? [...utf8(part)] : part)));
const utf16 = (text: string): number[] => [...text].flatMap((character) => [character.charCodeAt(0), 0]);

const LATIN1 = Uint8Array.of(...utf8("key,value\na,1\n"), 0x66, 0xfc, 0x72, 0x2c, 0x31, 0x0a);

/** Each with what the message says after the file's name. */
const BAD_FILES: readonly (readonly [string, Uint8Array, string])[] = [
  ["empty", utf8(""), "the file is empty"],
  ["a BOM alone", utf8("\ufeff"), "the file is empty"],
  ["UTF-16", Uint8Array.of(0xff, 0xfe, 0x6b, 0), "row 1: the file is UTF-16"],
  [
    "no such column",
    utf8("name,count\na,1\n"),
    'row 1: there is no column "key" (--key); the columns are "name", "count"',
  ],
  ["another delimiter", utf8("key;value\na;1\n"), 'the columns are "key;value"'],
  ["a column twice", utf8("key,value,key\na,1,b\n"), 'row 1: two columns are called "key"'],
  ["a blank first line", utf8("\nkey,value\n"), "row 1: it is blank"],
  ["an open quote in the header", utf8('"key,value\na,1\n'), "row 1: a quote is never closed"],
  ["text for a number", utf8("key,value\na,1\nb,two\nc,3\n"), 'row 3, column "value": "two" is not an integer'],
  ["no value", utf8("key,value\na,\n"), 'row 2, column "value": it is empty where an integer belongs'],
  ["a sign alone", utf8("key,value\na,-\n"), '"-" is not an integer'],
  ["a fraction", utf8("key,value\na,1.0\n"), '"1.0" is not an integer'],
  ["an exponent", utf8("key,value\na,1e3\n"), '"1e3" is not an integer'],
  ["a space", utf8("key,value\na, 1\n"), '" 1" is not an integer'],
  ["NaN", utf8("key,value\na,NaN\n"), '"NaN" is not an integer'],
  ["a digit of another script", utf8("key,value\na,٣\n"), '"٣" is not an integer'],
  ["hexadecimal", utf8("key,value\na,0x10\n"), '"0x10" is not an integer'],
  ["too great", utf8("key,value\na,9223372036854775808\n"), "does not fit into a signed 64-bit integer"],
  ["too small", utf8("key,value\na,-9223372036854775809\n"), "does not fit into a signed 64-bit integer"],
  ["far too great", utf8(`key,value\na,${"9".repeat(500)}\n`), "does not fit into a signed 64-bit integer"],
  ["a field too few", utf8("key,value\na,1\nb\n"), "row 3: it has 1 field where there should be 2"],
  ["a field too many", utf8("key,value\na,1\nb,2,3\n"), "row 3: it has 3 fields where there should be 2"],
  ["a NUL", utf8("key,value\na\0,1\n"), "row 2: it has a NUL byte"],
  ["a NUL in the header", utf8("key\0,value\na,1\n"), "row 1: it has a NUL byte"],
  ["text after a quote", utf8('key,value\n"a"b,1\n'), 'row 2, column "key": text follows the closing quote'],
  ["an open quote", utf8('key,value\na,1\n"b,2\nc,3\n'), "row 3: a quote is opened and never closed"],
  ["Latin-1", LATIN1, 'row 3, column "key": "f\ufffdr" is not valid UTF-8'],
  ["UTF-16, big-endian", bytes([0xfe, 0xff, 0, 0x6b]), "row 1: the file is UTF-16; convert it to UTF-8 first"],
  ["UTF-16 without a mark", bytes(utf16("key,value\na,1\n")), "row 1: it has a NUL byte; is this a CSV file in UTF-8?"],
  ["UTF-32", bytes([0xff, 0xfe, 0, 0], utf16("k")), "row 1: the file is UTF-16"],
  ["CR alone for line ends", utf8("key,value\ra,1\rb,2\r"), 'row 1: there is no column "value" (--value)'],
  [
    "an overlong NUL",
    bytes("key,value\n", [0xc0, 0x80], ",1\n"),
    'row 2, column "key": "\ufffd\ufffd" is not valid UTF-8',
  ],
  ["half a surrogate pair", bytes("key,value\na,1\n", [0xed, 0xa0, 0x80], ",1\n"), 'row 3, column "key"'],
  ["a character cut by the delimiter", bytes("key,value\nabcdefgh", [0xe2, 0x82], ",1\n"), 'row 2, column "key"'],
  ["a minus sign that is none", utf8("key,value\na,−999\n"), 'row 2, column "value": "−999" is not an integer'],
  ["a missing value's word", utf8("key,value\na,1\nb,NULL\n"), 'row 3, column "value": "NULL" is not an integer'],
  ["infinity", utf8("key,value\na,-inf\n"), 'row 2, column "value": "-inf" is not an integer'],
  ["thousands set apart", utf8('key,value\na,"1,000"\n'), 'row 2, column "value": "1,000" is not an integer'],
  ["a quoted empty value", utf8('key,value\na,""\n'), 'row 2, column "value": it is empty where an integer belongs'],
  ["a delimiter after the last field", utf8("key,value\na,1,\n"), "row 2: it has 3 fields where there should be 2"],
  ["a line of spaces", utf8("key,value\na,1\n   \n"), "row 3: it has 1 field where there should be 2"],
  ["a second header, of a file put behind", utf8("key,value\na,1\nkey,value\nb,1\n"), 'row 3, column "value": "value"'],
  [
    "a space in the header",
    utf8("key ,value\na,1\n"),
    'there is no column "key" (--key); the columns are "key ", "value"',
  ],
  ["a spreadsheet's first line", utf8("sep=,\nkey,value\na,1\n"), 'row 1: there is no column "key" (--key)'],
  ["no header", utf8("a,1\nb,2\n"), 'row 1: there is no column "key" (--key); the columns are "a", "1"'],
  ["a picture", bytes([0x89], "PNG\r\n", [0x1a, 10, 0, 0, 0]), 'row 1: there is no column "key" (--key)'],
  ["text after a quoted header", utf8('"key"x,value\na,1\n'), "row 1: column 1: text follows a closing quote"],
  [
    "a quote that swallows the rest",
    utf8(`key,value\na,1\n"b,2\n${"c,3\n".repeat(99)}`),
    "row 3: a quote is opened and never closed",
  ],
  ["a row after blank lines and quoted line breaks", utf8('key,value\n\n"a\nb",1\nc,x\n'), "row 4"],
];

test.each(BAD_FILES)("%s", async (_name, file, message) => {
  for (const partitions of [1, 4]) {
    const failure = await failureOf({ partitions }, file);
    expect(failure).toMatch(/^in\.csv: /);
    expect(failure).toContain(message);
  }
});

/** What looks odd and is read all the same, as README.md says; nothing is made up. */
test.each<[string, Uint8Array, string]>([
  ["a BOM", utf8("\ufeffkey,value\na,1\n"), "a,1\n"],
  ["mixed line ends", utf8("key,value\r\na,1\nb,2\r\nc,3"), "a,1\nb,2\nc,3\n"],
  ["blank lines", utf8("key,value\n\na,1\n\r\n\nb,2\n\n"), "a,1\nb,2\n"],
  ["no rows", utf8("key,value\n"), ""],
  ["-999 is a number like any other", utf8("key,value\na,-999\na,1\n"), "a,-998\n"],
  ["signs and leading zeros", utf8("key,value\na,+007\na,-0\n"), "a,7\n"],
  ["empty keys", utf8('key,value\n,1\n"",2\n'), ",3\n"],
  ["a row twice", utf8("key,value\na,1\na,1\n"), "a,2\n"],
  ["spaces are part of a key", utf8("key,value\n a,1\na,2\n"), " a,1\na,2\n"],
  ["more columns, the same name twice among others", utf8("x,key,x,value\n1,a,2,3\n"), "a,3\n"],
])("%s", async (_name, file, rows) => {
  for (const partitions of [1, 4]) {
    const result = await runBoth({ partitions }, file);
    expect(resultText(result)).toBe(`key,value\n${rows}`);
    expect(result.metrics["skippedRows"]).toBe(0);
  }
});

test("the header's first row may not be longer than any other", { timeout: 60_000 }, async () => {
  const file = utf8(`${"x".repeat(MAX_RECORD_BYTES)},key,value\n1,a,1\n`);
  expect(await failureOf({}, file)).toContain(`row 1: it is longer than ${MAX_RECORD_BYTES} bytes`);
});

test("bad rows can be passed over, and are counted", async () => {
  const file = Uint8Array.of(
    ...LATIN1,
    ...utf8('b,2,3\n,\nc,5\n"d"x,1\ne\0,1\nf,99999999999999999999\na,+1\n"open,1\n'),
  );
  for (const partitions of [1, 3, 20]) {
    const result = await runBoth({ onBadRow: "skip", partitions }, file);
    expect(resultText(result)).toBe("key,value\na,2\nc,5\n");
    expect(result.metrics).toMatchObject({ tuples: 3, keys: 2, sum: 7, skippedRows: 7 });
  }
});

test("a record without end is refused, also where bad rows are passed over", { timeout: 60_000 }, async () => {
  const file = utf8(`key,value\na,1\n${"x".repeat(MAX_RECORD_BYTES)}\nb,2\n`);
  for (const onBadRow of ["fail", "skip"]) {
    expect(await failureOf({ onBadRow }, file)).toContain(`row 3: it is longer than ${MAX_RECORD_BYTES} bytes`);
  }
});

test("a sum that does not fit names its key", async () => {
  const most = "9223372036854775807";
  for (const key of ["k", "", "twenty bytes of key.", "y".repeat(40)]) {
    for (const partitions of [1, 3]) {
      const failure = await failureOf({ partitions }, utf8(`key,value\n${key},${most}\nz,1\n${key},1\n`));
      expect(failure).toContain(`in.csv, column "value": the sum of key "${key}" does not fit`);
    }
  }
});

test.each([
  { tuples: 0 },
  { tuples: 1.5 },
  { keyLength: 0 },
  { alphabet: "Z-A" },
  { maxValue: 0 },
  { seed: -1 },
  { partitions: 0 },
  { delimiter: '"' },
  { delimiter: "ab" },
  { format: "xls" },
  { onBadRow: "ignore" },
  { top: -1 },
])("%j is refused", (params) => {
  const parsed = stringCount.params.safeParse(params);
  expect(parsed.error?.issues[0]?.path).toEqual(Object.keys(params));
});

test("without a header, columns are numbers", async () => {
  expect(await failureOf({ header: false, key: "3" }, utf8("a,1\n"))).toContain(
    "--key is a column's number from 1 to 2",
  );
});
