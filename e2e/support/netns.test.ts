import { spawnSync } from "node:child_process";
import type { networkInterfaces } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { inNamespace, namespaceProblem } from "./netns.ts";

const problem = namespaceProblem();

test.skipIf(problem !== undefined)(`a namespace has the one outside address${problem ? ` (${problem})` : ""}`, () => {
  const script = "console.log(JSON.stringify([process.env.KINDLING_TEST_ADDRESS, require('os').networkInterfaces()]))";
  const [command = "", ...args] = inNamespace([process.execPath, "-e", script]);
  const { stdout } = spawnSync(command, args, { encoding: "utf8" });
  const [address, interfaces] = JSON.parse(stdout) as [string, ReturnType<typeof networkInterfaces>];
  const outside = Object.values(interfaces)
    .flatMap((list) => list ?? [])
    .filter(({ family, internal }) => family === "IPv4" && !internal);
  expect(outside.map((entry) => entry.address)).toEqual(["10.77.0.1"]);
  expect(address).toBe("10.77.0.1");
});

test("where a tool is missing the script says which, and that it did not run the command", () => {
  const script = join(import.meta.dirname, "netns.sh");
  const { status, stdout, stderr } = spawnSync("/bin/bash", [script, "echo", "ran"], {
    encoding: "utf8",
    env: { PATH: "/nowhere" },
  });
  expect(stderr).toContain("netns.sh: 'unshare' is missing");
  expect(stdout).toBe("");
  expect(status).toBe(3);
});
