import { expect, test } from "vitest";
import { CLOSE_CODES } from "./channel.ts";
import { closeDetail, closeReasonOf } from "./close-codes.ts";

test("every kind comes back from its code", () => {
  for (const [kind, code] of Object.entries(CLOSE_CODES)) {
    expect(closeReasonOf(code, "x")).toEqual({ kind, detail: "x" });
  }
});

test("codes that are not ours mean a broken connection, or a message over the limit", () => {
  for (const code of [1001, 1005, 1006, 1011, 3000, 4999]) expect(closeReasonOf(code, "").kind).toBe("lost");
  expect(closeReasonOf(1006, "").detail).toContain("1006");
  expect(closeReasonOf(1009, "").kind).toBe("limit");
});

test("a detail is cut to 123 bytes between characters", () => {
  expect(closeDetail("short")).toBe("short");
  expect(closeDetail("a".repeat(200))).toBe("a".repeat(123));
  expect(closeDetail("ü".repeat(200))).toBe("ü".repeat(61));
  expect(closeDetail("🔥".repeat(200))).toBe("🔥".repeat(30));
});
