import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { builtinPath, bundleWorkload, isBuiltin } from "./bundle.ts";
import { loadWorkload, parseParams } from "./workload.ts";

const GOOD = `import { defineTask, defineWorkload, z } from "kindling";
import { twice } from "./lib/twice.ts";
import wasm from "./empty.wasm";
export default defineWorkload({
  name: "good", params: z.object({ size: z.number().default(wasm.byteLength) }), tasks: { t: defineTask({ js: twice }) },
  drive: async (job) => job.collect(await job.map(undefined as never, [])),
});`;
const WASM = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);

async function folder(files: Readonly<Record<string, string | Uint8Array>>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), "kindling-bundle-"));
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), content);
  }
  return root;
}

test("a copy elsewhere has the same hash, whatever lies around it, and carries its WASM", async () => {
  const files = {
    "w.ts": GOOD,
    "lib/twice.ts": "// a comment\nexport const twice = (n: number) => 2 * n;",
    "empty.wasm": WASM,
  };
  const here = await folder(files);
  const there = await folder({
    ...Object.fromEntries(Object.entries(files).map(([name, content]) => [`deep/er/${name}`, content])),
    "deep/tsconfig.json":
      '{ "compilerOptions": { "useDefineForClassFields": false, "target": "es5", "jsx": "react" } }',
  });
  const [one, two] = [await bundleWorkload(join(here, "w.ts")), await bundleWorkload(join(there, "deep/er/w.ts"))];
  expect(two.hash).toBe(one.hash);
  const text = new TextDecoder().decode(one.code);
  expect(text).not.toContain(here);
  expect(text).not.toContain("a comment");
  const workload = await loadWorkload(one.code, "w.ts");
  expect(parseParams(workload, {})).toEqual({ size: 8 });
});

test.each([
  [
    "a Node module",
    'import { readFileSync } from "node:fs";\nexport default readFileSync;',
    /w\.ts:1:\d+: .*browsers.*node:fs/,
  ],
  ["a syntax error", "export default {\n  name: 'x',\n  oops oops\n};", /w\.ts:3:\d+: /],
  ["a module that is not there", 'import "./gone.ts";', /w\.ts:1:\d+: .*gone/],
])("%s is refused with file and line", async (_what, text, message) => {
  const root = await folder({ "w.ts": text });
  await expect(bundleWorkload(join(root, "w.ts"))).rejects.toMatchObject({
    code: "BadWorkload",
    message: expect.stringMatching(message) as string,
  });
});

test.each([
  ["without a default export", "export const x = 1;", /no workload as its default export/],
  ["that throws as it loads", "throw new Error('early');", /cannot be loaded: Error: early/],
  [
    "whose task has no js kernel",
    'import { defineWorkload, z } from "kindling"; export default defineWorkload({ name: "n", params: z.object({}), tasks: { t: {} as never }, drive: async () => ({ metrics: {}, artifacts: [] }) });',
    /task t of n has no kernel `js`/,
  ],
])("a module %s is refused", async (_what, text, message) => {
  const { code } = await bundleWorkload(join(await folder({ "w.ts": text }), "w.ts"));
  await expect(loadWorkload(code, "w.ts")).rejects.toMatchObject({
    code: "BadWorkload",
    message: expect.stringMatching(message) as string,
  });
});

test("a file that is not there, and names that are no workload", async () => {
  await expect(bundleWorkload("/nowhere/w.ts")).rejects.toMatchObject({
    code: "BadWorkload",
    message: expect.stringMatching(/no such/) as string,
  });
  expect(["pi", "..", "pi/../pi", "shared", ""].map(isBuiltin)).toEqual([true, false, false, false, false]);
});

test("every built-in workload is there", () => {
  for (const name of ["forecast", "string-count", "pi"]) expect(isBuiltin(name), builtinPath(name)).toBe(true);
});
