import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readCounts } from "./counts-file.ts";

test("keys, sum and hash of a result file", async () => {
  const folder = mkdtempSync(join(tmpdir(), "kindling-bench-"));
  try {
    const content = "key,value\nA1,12\nB-2,-5\nC,7\n";
    const file = join(folder, "counts.csv");
    writeFileSync(file, content);
    const sha256 = createHash("sha256").update(content).digest("hex");
    expect(await readCounts(file)).toEqual({ sha256, keys: 3, sum: 14 });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
