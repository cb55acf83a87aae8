import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

const NEEDED = 26;
const COMMAND = join(import.meta.dirname, "../client/cli/bin/kindling.js");

let project: string;
let command: string;

beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), "kindling-old-node-"));
  command = join(project, "client/cli/bin/kindling.js");
  mkdirSync(join(project, "client/cli/bin"), { recursive: true });
  writeFileSync(join(project, "package.json"), '{ "type": "module" }');
  copyFileSync(COMMAND, command);
  const main =
    "const args: string[] = process.argv.slice(2);\nconsole.log(process.version, ...args);\nprocess.exitCode = 7;\n";
  writeFileSync(join(project, "client/cli/kindling.ts"), main);
});

afterEach(() => rmSync(project, { recursive: true, force: true }));

/** A command for an old Node: a real one from the PATH, else this one under an old one's version number. */
function oldNode(): [string, ...string[]] {
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    const node = join(folder, "node");
    const { stdout } = spawnSync(node, ["--version"], { encoding: "utf8" });
    if (typeof stdout === "string" && stdout.startsWith("v") && Number.parseInt(stdout.slice(1), 10) < NEEDED)
      return [node];
  }
  const pretend = 'Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.20.2" } });';
  return [process.execPath, "--import", `data:text/javascript,${encodeURIComponent(pretend)}`];
}

function run([node, ...options]: [string, ...string[]], ...args: string[]): SpawnSyncReturns<string> {
  return spawnSync(node, [...options, command, ...args], { encoding: "utf8" });
}

test("an old Node without the packaged one says which Node is needed and how to get it", () => {
  const { status, stderr, stdout } = run(oldNode(), "jobs");
  expect(stderr).toMatch(/kindling needs Node 26 or newer, and this is Node \d+/);
  expect(stderr).toContain("npm ci");
  expect(stderr).not.toContain("    at ");
  expect(stdout).toBe("");
  expect(status).toBe(1);
});

test("an old Node hands over to the packaged one, with the arguments and the exit code", () => {
  mkdirSync(join(project, "node_modules/.bin"), { recursive: true });
  const [node, ...options] = oldNode();
  // A Node that only pretends to be old must not find itself.
  const packaged = node === process.execPath ? copyFileSync : symlinkSync;
  packaged(process.execPath, join(project, "node_modules/.bin/node"));
  const { status, stdout } = run([node, ...options], "run", "pi", "--samples", "10");
  expect(stdout).toBe(`${process.version} run pi --samples 10\n`);
  expect(status).toBe(7);
});

test("a current Node runs the command line itself", () => {
  const { status, stdout } = run([process.execPath], "doctor");
  expect(stdout).toBe(`${process.version} doctor\n`);
  expect(status).toBe(7);
});
