import { mkdtemp, readdir, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ensureTokens, readTokens } from "./tokens.ts";

const folder = (): Promise<string> => mkdtemp(join(tmpdir(), "kindling-tokens-"));

test("tokens are made once, for this user's eyes alone, and are long enough", async () => {
  const dir = await folder();
  expect(await readTokens(dir)).toBeNull();
  const made = await ensureTokens(dir);
  expect(await ensureTokens(dir)).toEqual(made);
  expect(await readdir(dir)).toEqual(["tokens.json"]);
  expect((await stat(join(dir, "tokens.json"))).mode & 0o077).toBe(0);
  expect(made.operator).not.toBe(made.join);
  expect(Buffer.from(made.join, "base64url").byteLength).toBe(32);
});

test("a damaged file is named and not replaced", async () => {
  const dir = await folder();
  for (const text of ["", "{", '{"operator":"short","join":"short"}']) {
    await writeFile(join(dir, "tokens.json"), text);
    await expect(ensureTokens(dir)).rejects.toMatchObject({
      code: "BadTokens",
      message: expect.stringMatching(/tokens\.json is damaged/) as string,
    });
  }
});
