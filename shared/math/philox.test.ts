import { expect, test } from "vitest";
import { mulHigh, philox4x32 } from "./philox.ts";

const hex = (words: Uint32Array) => [...words].map((word) => word.toString(16).padStart(8, "0")).join(" ");

// The known answers of Random123's kat_vectors for philox4x32 with 10 rounds.
test.each([
  [[0, 0, 0, 0], [0, 0], "6627e8d5 e169c58d bc57ac4c 9b00dbd8"],
  [[0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff], [0xffffffff, 0xffffffff], "408f276d 41c83b0e a20bc7c6 6d5451fd"],
  [[0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0], "d16cfe09 94fdcceb 5001e420 24126ea1"],
] as const)("philox4x32-10 of %o under %o", (counter, key, expected) => {
  const out = new Uint32Array(4);
  philox4x32(out, 0, counter, key);
  expect(hex(out)).toBe(expected);
});

test("mulHigh agrees with exact integers", () => {
  for (const a of [0, 1, 0xffff, 0x10000, 0x9e3779b9, 0xffffffff]) {
    for (const b of [0, 1, 0xfffe, 0x8000_0001, 0xcd9e8d57, 0xffffffff]) {
      expect(mulHigh(a, b)).toBe(Number((BigInt(a) * BigInt(b)) >> 32n));
    }
  }
});
