import { expect, test } from "vitest";
import { parseBytes } from "./bytes.ts";
import { wholeNumber } from "./numbers.ts";
import { splitLink } from "./link.ts";

test.each([
  ["512", 512],
  ["512M", 512 * 2 ** 20],
  ["1.5GB", 1.5 * 2 ** 30],
  ["2 GiB", 2 * 2 ** 30],
  ["3k", 3072],
])("%s is %i bytes", (text, bytes) => {
  expect(parseBytes(text, "memory")).toBe(bytes);
});

test.each(["", "0", "0.1", "-1", "many", "1X", "1e9", "99999999T"])("%j is no size", (text) => {
  expect(() => parseBytes(text, "memory")).toThrow(/--memory takes a size such as 512M/);
});

test("whole numbers within limits", () => {
  expect(wholeNumber("8080", "port", 0, 65_535)).toBe(8080);
  for (const text of ["", " ", "x", "1.5", "-1", "65536"]) {
    expect(() => wholeNumber(text, "port", 0, 65_535)).toThrow(/--port takes a whole number from 0 to 65535/);
  }
});

test("a link gives its origin and its token", () => {
  const { url, token } = splitLink("http://10.0.0.1:8080/join#token=abc");
  expect([url.origin, token]).toEqual(["http://10.0.0.1:8080", "abc"]);
  expect(splitLink("https://host").token).toBeUndefined();
  for (const text of ["", "nothing", "localhost:8080", "file:///etc/passwd"]) {
    expect(() => splitLink(text), text).toThrow(expect.objectContaining({ code: "BadUsage" }));
  }
});
