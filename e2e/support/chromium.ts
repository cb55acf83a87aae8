import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, dirname, join } from "node:path";
import { chromium } from "playwright-core";

/** Playwright's download ends or is given up after this; ms. */
const DOWNLOAD_LIMIT = 180_000;
/** Debian's package with its dependencies; ms. */
const PACKAGE_LIMIT = 600_000;

const SYSTEM_NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/**
 * What every test browser is started with. No sandbox, since tests run as root in containers; nothing that would call
 * out by itself; WebGPU also where only a software adapter exists.
 */
export const chromiumFlags = [
  "--no-sandbox",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--enable-unsafe-webgpu",
];

/**
 * The Chromium that is already on this machine: KINDLING_CHROMIUM, else Playwright's own, else the system's.
 * @throws if KINDLING_CHROMIUM names a file that does not exist.
 */
export function findChromium(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const named = env["KINDLING_CHROMIUM"];
  if (named !== undefined && named !== "") {
    if (!existsSync(named)) {
      throw new Error(`KINDLING_CHROMIUM names ${named}, which does not exist: unset it or name a Chromium binary`);
    }
    return named;
  }
  const playwrights = chromium.executablePath();
  if (existsSync(playwrights)) return playwrights;
  return systemChromium([env["PATH"] ?? "", "/usr/bin"].join(delimiter));
}

/** The first Chromium or Chrome on `path`, a list as in the environment. */
export function systemChromium(path: string): string | undefined {
  for (const folder of path.split(delimiter)) {
    for (const name of SYSTEM_NAMES) {
      const file = join(folder, name);
      if (folder !== "" && existsSync(file)) return file;
    }
  }
  return undefined;
}

/** As `findChromium`, but where there is none, tries Playwright's download and then, as root, Debian's package. */
export function ensureChromium(say: (line: string) => void = () => {}): string {
  const found = findChromium();
  if (found !== undefined) return found;
  const failures: string[] = [];

  say("no Chromium here: trying Playwright's download");
  const playwright = join(dirname(createRequire(import.meta.url).resolve("playwright-core/package.json")), "cli.js");
  const download = attempt(process.execPath, [playwright, "install", "chromium"], DOWNLOAD_LIMIT);
  const downloaded = findChromium();
  if (downloaded !== undefined) return downloaded;
  failures.push(`Playwright's download: ${download ?? "left no browser"}`);

  if (process.getuid?.() === 0 && existsSync("/usr/bin/apt-get")) {
    say("trying the distribution's package");
    const script = "apt-get update && apt-get install -y --no-install-recommends chromium";
    const installed = attempt("/bin/sh", ["-c", script], PACKAGE_LIMIT, { DEBIAN_FRONTEND: "noninteractive" });
    const packaged = findChromium();
    if (packaged !== undefined) return packaged;
    failures.push(`apt-get install chromium: ${installed ?? "left no browser"}`);
  } else {
    failures.push("apt-get install chromium: needs root and apt-get");
  }
  throw new Error(
    `The end-to-end tests need a Chromium and none could be found or installed.\n  ${failures.join("\n  ")}\n` +
      "Install one (Debian: apt-get install chromium) or set KINDLING_CHROMIUM to its path.",
  );
}

/** Runs a command to its end; gives why it failed, or undefined. */
function attempt(command: string, args: string[], limit: number, env: NodeJS.ProcessEnv = {}): string | undefined {
  const run = spawnSync(command, args, { encoding: "utf8", timeout: limit, env: { ...process.env, ...env } });
  if (run.error !== undefined) return run.error.message;
  if (run.status === 0) return undefined;
  const lines = run.stderr.split("\n").map((line) => line.trim());
  return lines.find((line) => /\berror\b|^E:/i.test(line)) ?? `ended with ${run.status ?? run.signal}`;
}
