/** Keys that are UTF-8, or only just not, among plain ones: the WASM kernel judges 64 bytes at a time. */
import { test } from "vitest";
import { philoxRng } from "../../shared/rng.ts";
import { runBoth } from "./testing.ts";

/** Sequences of bytes: whole characters of each length, and at the edges of what UTF-8 allows. */
const PIECES = [
  ["61", "c3a4", "c39f", "62", "e282ac"],
  ["61", "c280", "dfbf", "e0a080", "ed9fbf", "ee8080", "efbfbf", "f0908080", "f48fbfbf"],
  ["61", "c3a4", "c3", "80", "bf", "c080", "c1bf", "c2", "ff", "fe"],
  ["61", "e09fbf", "eda080", "edbfbf", "e282", "e2", "82", "e2c3a4", "c3e282ac", "e282ac80"],
  ["61", "c3a4", "f08fbfbf", "f4908080", "f5808080", "f0908f", "e282acc3a4", "c3a4a4"],
];

test.each(Array.from({ length: 20 }, (_, seed) => seed))(
  "random sequences of bytes %i",
  { timeout: 60_000 },
  async (seed) => {
    const rng = philoxRng(seed, 11);
    const pieces = PIECES[seed % PIECES.length] ?? [];
    const often = [3, 30][(seed >> 1) % 2] ?? 3;
    const rows = Array.from({ length: 3000 }, () => {
      const key = Array.from(
        { length: rng.below(12) },
        () => pieces[rng.below(often) === 0 ? rng.below(pieces.length) : 0],
      );
      return `${key.join("")}2c3${rng.below(10)}0a`;
    });
    const file = Uint8Array.fromHex(`6b2c760a${rows.join("")}`);
    for (const partitions of [1, 3]) await runBoth({ key: "k", value: "v", onBadRow: "skip", partitions }, file);
  },
);
