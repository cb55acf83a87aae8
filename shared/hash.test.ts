import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { sha256, sha256Hex } from "./hash.ts";

const sample = (bytes: number): Uint8Array => Uint8Array.from({ length: bytes }, (_, index) => (index * 7 + 3) & 0xff);

test("the standard's example", async () => {
  const digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  expect(await sha256Hex(new TextEncoder().encode("abc"))).toBe(digest);
});

test("the own implementation agrees with the platform's at every padding border", () => {
  for (const length of [0, 1, 55, 56, 63, 64, 65, 119, 120, 128, 100_000]) {
    const bytes = sample(length);
    const expected = createHash("sha256").update(bytes).digest("hex");
    expect(Buffer.from(sha256(bytes)).toString("hex"), `${length} bytes`).toBe(expected);
  }
});

test("shared memory and views hash as their bytes do", async () => {
  const shared = new Uint8Array(new SharedArrayBuffer(200));
  shared.set(sample(200));
  const view = shared.subarray(10, 150);
  expect(await sha256Hex(view)).toBe(createHash("sha256").update(sample(200).subarray(10, 150)).digest("hex"));
});
