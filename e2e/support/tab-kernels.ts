import { builtinModules } from "node:module";
import { join } from "node:path";
import { build } from "esbuild";
import { type Browser, chromium, type Page } from "playwright-core";
import { chromiumFlags, findChromium } from "./chromium.ts";
import type { PageRequest, PageRun } from "./gpu-page.ts";

const ROOT = join(import.meta.dirname, "../..");
/** Any name on which a page is a secure context; nothing listens there. */
const ORIGIN = "http://localhost:1/";

/** A page of a real browser that runs jobs with the kernels of any backend (gpu-page.ts). */
export class KernelPage {
  readonly #browser: Browser;
  readonly #page: Page;

  private constructor(browser: Browser, page: Page) {
    this.#browser = browser;
    this.#page = page;
  }

  static async open(): Promise<KernelPage> {
    const { outputFiles } = await build({
      entryPoints: [join(import.meta.dirname, "gpu-page.ts")],
      bundle: true,
      write: false,
      format: "esm",
      platform: "browser",
      target: "es2022",
      alias: { kindling: join(ROOT, "shared/sdk/index.ts") },
      loader: { ".wasm": "binary", ".wgsl": "text" },
      // Node modules that libraries have for one of their ways.
      external: ["node:*", ...builtinModules],
    });
    const script = outputFiles[0]?.text ?? "";
    const browser = await chromium.launch({ executablePath: findChromium() ?? "", args: chromiumFlags });
    const page = await browser.newPage();
    page.on("pageerror", (error) => console.error(error));
    await page.route(`${ORIGIN}**`, (route) =>
      route.request().url() === `${ORIGIN}page.js`
        ? route.fulfill({ contentType: "text/javascript", body: script })
        : route.fulfill({ contentType: "text/html", body: '<script type="module" src="page.js"></script>' }),
    );
    await page.goto(ORIGIN);
    await page.waitForFunction("typeof run === 'function'");
    return new KernelPage(browser, page);
  }

  async run({
    files = {},
    ...request
  }: Omit<PageRequest, "files"> & { readonly files?: Readonly<Record<string, Uint8Array>> }): Promise<PageRun> {
    const encoded = Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, bytes.toBase64()]));
    return this.#page.evaluate(
      (asked) => (globalThis as unknown as { run(asked: PageRequest): Promise<PageRun> }).run(asked),
      { ...request, files: encoded },
    );
  }

  close(): Promise<void> {
    return this.#browser.close();
  }
}
