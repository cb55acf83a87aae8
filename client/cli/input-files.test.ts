import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { inputFiles } from "./input-files.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "input-files-"));
  await mkdir(join(folder, "c.csv"));
  for (const name of ["b.csv", "a.csv", "é.csv", "z.txt", "x[1].csv"]) await writeFile(join(folder, name), "");
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

const found = async (...given: readonly string[]) =>
  ([await inputFiles(given, true)].flat() as string[]).map((file) => file.replace(`${folder}/`, ""));

test("a pattern is the files that match it, sorted, without folders", async () => {
  expect(await found(join(folder, "*.csv"))).toEqual(["a.csv", "b.csv", "x[1].csv", "é.csv"]);
});

test("each file counts once, where it is first named", async () => {
  expect(await found(join(folder, "b.csv"), join(folder, "[ab].csv"), join(folder, "b.csv"))).toEqual([
    "b.csv",
    "a.csv",
  ]);
});

test("a file that is called as a pattern is taken as it is", async () => {
  expect(await found(join(folder, "x[1].csv"))).toEqual(["x[1].csv"]);
});

test("a pattern without a match names itself", async () => {
  await expect(found(join(folder, "*.parquet"))).rejects.toThrow("*.parquet: no file matches");
});

test.each(["-", "https://host/a*.csv?x=[1]", "plain.csv"])("%s is no pattern", async (file) => {
  expect(await inputFiles(file, true)).toBe(file);
});

test("a parameter for one file takes what it is given", async () => {
  expect(await inputFiles("*.csv", false)).toBe("*.csv");
});
