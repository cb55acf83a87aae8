import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { makeDataDir, makeFolder } from "./data-dir.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "kindling-data-dir-"));
});

afterEach(() => rm(folder, { recursive: true }));

test("a folder is made with those above it, and may be there already", async () => {
  const path = join(folder, "a", "b", "c");
  await makeFolder(path, 0o700);
  await makeFolder(path, 0o700);
  expect((await stat(path)).mode & 0o777).toBe(0o700);
});

test("a data directory below a file is refused, by name", async () => {
  await writeFile(join(folder, "file"), "");
  const path = join(folder, "file", "data");
  await expect(makeDataDir(path)).rejects.toMatchObject({
    code: "StorageFailed",
    message: expect.stringContaining(`${path}: ENOTDIR`) as string,
  });
});

test.skipIf(process.platform !== "linux")(
  "a file system that makes no folders ends the try (needs Linux's /proc)",
  async () => {
    await expect(makeDataDir("/proc/kindling/data")).rejects.toMatchObject({ code: "StorageFailed" });
  },
);
