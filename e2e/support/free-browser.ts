import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type Browser, chromium, type Page } from "playwright-core";
import { chromiumFlags, findChromium } from "./chromium.ts";

/** What Playwright gives a browser that nobody looks at: its tabs work as if somebody did. */
const WATCHED = [
  "--headless",
  "--disable-background-timer-throttling",
  "--disable-backgrounding-occluded-windows",
  "--disable-renderer-backgrounding",
];

/**
 * A Chromium that can be let alone. While Playwright is connected the browser tells it of every piece of every response, which
 * costs more time than the pieces themselves: what is measured meanwhile is the debugger.
 */
export class FreeBrowser {
  readonly #browser: Browser;
  readonly #process: ChildProcess;
  readonly #profile: string;

  static async start(): Promise<FreeBrowser> {
    const profile = mkdtempSync(join(tmpdir(), "kindling-browser-"));
    const args = [
      ...chromiumFlags,
      ...WATCHED,
      "--remote-debugging-port=0",
      `--user-data-dir=${profile}`,
      "about:blank",
    ];
    const child = spawn(findChromium() ?? "", args, { stdio: ["ignore", "ignore", "pipe"] });
    const address = await debuggerOf(child);
    return new FreeBrowser(await chromium.connectOverCDP(address), child, profile);
  }

  private constructor(browser: Browser, child: ChildProcess, profile: string) {
    this.#browser = browser;
    this.#process = child;
    this.#profile = profile;
  }

  /** A tab that outlives the connection. */
  async newPage(): Promise<Page> {
    const [context] = this.#browser.contexts();
    if (context === undefined) throw new Error("the browser has no context of its own");
    return context.newPage();
  }

  /** Disconnects; the tabs go on. */
  async letAlone(): Promise<void> {
    await this.#browser.close();
  }

  async close(): Promise<void> {
    await this.#browser.close();
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      this.#process.kill();
      await once(this.#process, "exit");
    }
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** The address of a starting browser's debugger. */
async function debuggerOf(child: ChildProcess): Promise<string> {
  if (child.stderr === null) throw new Error("the browser's standard error is not read");
  const lines = createInterface({ input: child.stderr });
  for await (const line of lines) {
    const [, address] = /^DevTools listening on (ws:\S+)/.exec(line) ?? [];
    if (address === undefined) continue;
    child.stderr.resume();
    return address;
  }
  throw new Error("the browser ended before it could be used");
}
