import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { findChromium, systemChromium } from "./chromium.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "kindling-chromium-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function place(name: string): string {
  const file = join(root, name);
  mkdirSync(join(file, ".."), { recursive: true });
  writeFileSync(file, "");
  return file;
}

test("the browser that the environment names comes before all others", () => {
  const named = place("named/browser");
  place("bin/chromium");
  expect(findChromium({ KINDLING_CHROMIUM: named, PATH: join(root, "bin") })).toBe(named);
});

test("a named browser that does not exist is an error, not another browser", () => {
  const env = { KINDLING_CHROMIUM: join(root, "gone"), PATH: "" };
  expect(() => findChromium(env)).toThrow(/KINDLING_CHROMIUM names .*gone, which does not exist/);
});

test("the system's browser is the first on the path, Chromium before Chrome", () => {
  const chrome = place("a/google-chrome");
  place("b/chromium");
  const both = place("c/chromium");
  place("c/google-chrome");
  expect(systemChromium([join(root, "empty"), join(root, "a"), join(root, "b")].join(delimiter))).toBe(chrome);
  expect(systemChromium(join(root, "c"))).toBe(both);
  expect(systemChromium(["", join(root, "empty")].join(delimiter))).toBeUndefined();
});
