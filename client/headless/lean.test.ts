import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";

const LEAN = new URL("./lean.ts", import.meta.url).href;
const PROGRAM = `
  import { restartLean } from ${JSON.stringify(LEAN)};
  restartLean(Number(process.argv[1]));
  const { MALLOC_MMAP_THRESHOLD_: mapped = null } = process.env;
  console.log(JSON.stringify({ pid: process.pid, args: process.argv.slice(1), flags: process.execArgv, mapped }));
`;

/** What a process has that calls `restartLean`. */
async function lean(memoryBytes: number, env: Record<string, string> = {}, more = "more") {
  const args = ["--input-type=module", "--eval", PROGRAM, "--", String(memoryBytes), more];
  const child = spawn(process.execPath, args, {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const told = JSON.parse(await text(child.stdout)) as { pid: number; args: string[]; flags: string[]; mapped: string };
  expect(told.args).toEqual([String(memoryBytes), more]);
  expect(told.pid).toBe(child.pid);
  return { ...told, semiSpace: told.flags.filter((flag) => flag.includes("semi-space")) };
}

test.skipIf(process.platform !== "linux")(
  "a small node starts over, once, with the same id and arguments",
  async () => {
    expect(await lean(2 ** 27)).toMatchObject({ semiSpace: ["--max-semi-space-size=2"], mapped: "262144" });
  },
);

test("a large node, one whose user has set the allocator, and one with an open file, stay as they are", async () => {
  expect(await lean(2 ** 30)).toMatchObject({ semiSpace: [], mapped: null });
  for (const open of ["/dev/fd/63", "--token-file=/proc/self/fd/9"]) {
    expect(await lean(2 ** 27, {}, open)).toMatchObject({ semiSpace: [], mapped: null });
  }
  expect(await lean(2 ** 27, { MALLOC_MMAP_THRESHOLD_: "1000000" })).toMatchObject({
    semiSpace: [],
    mapped: "1000000",
  });
});
