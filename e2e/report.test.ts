import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import axe from "axe-core";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { chromiumFlags, findChromium } from "./support/chromium.ts";
import { kindling } from "./support/processes.ts";

let folder: string;
let browser: Browser;
let page: Page;
const problems: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "kindling-report-"));
  const path = (name: string): string => join(folder, name);
  await finished(["data", "weather", "--out", folder]);
  const options = ["--trees", "10", "--intervals", "0.9", "--explain", "--out", path("result.csv")];
  const files = ["--observed", path("observed.csv"), "--future", path("future.csv"), "--report", path("report.html")];
  await finished(["run", "forecast", ...files, ...options]);
  browser = await chromium.launch({ executablePath: findChromium() ?? "", args: chromiumFlags });
  page = await browser.newPage();
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") problems.push(message.text());
  });
  page.on("request", (request) => {
    if (!request.url().startsWith("file:")) problems.push(`asks for ${request.url()}`);
  });
  await page.goto(pathToFileURL(path("report.html")).href);
});

afterAll(async () => {
  await browser?.close();
  await rm(folder, { recursive: true, force: true });
});

async function finished(args: readonly string[]): Promise<void> {
  const { code, stderr } = await kindling(args);
  expect(stderr.includes("rror") ? stderr : "", `kindling ${args.join(" ")}`).toBe("");
  expect(code).toBe(0);
}

/** Which of axe's rules the page breaks, and where. All but "experimental" ones are asked. */
async function violations(): Promise<string[]> {
  // Evaluated by the debugger, so that the page's own policy against scripts stays as it is.
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(
    (): Promise<axe.AxeResults> =>
      (globalThis as unknown as { axe: typeof axe }).axe.run({
        runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
      }),
  );
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`),
  );
}

test.each(["light", "dark"] as const)(
  "the report passes an accessibility check in %s colours, wide and narrow",
  async (colorScheme) => {
    await page.emulateMedia({ media: "screen", colorScheme });
    for (const width of [1280, 360]) {
      await page.setViewportSize({ width, height: 900 });
      expect(await violations()).toEqual([]);
      // Nothing but its own scrolling boxes is wider than the window.
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    }
  },
);

test("the check would name what is wrong", async () => {
  await page.emulateMedia({ media: "screen", colorScheme: "light" });
  const restore = await page.evaluate(() => {
    const body = document.body.innerHTML;
    document.querySelector("h2")?.setAttribute("style", "color: #ccc");
    document.querySelector("main")?.insertAdjacentHTML("beforeend", "<button></button>");
    return body;
  });
  const found = await violations();
  await page.evaluate((body) => {
    document.body.innerHTML = body;
  }, restore);
  for (const rule of ["color-contrast", "button-name"])
    expect(found.some((line) => line.startsWith(`${rule}:`))).toBe(true);
});

test("on paper it is dark on white whatever the screen is, without what only a screen can do", async () => {
  await page.emulateMedia({ media: "print", colorScheme: "dark" });
  expect(await violations()).toEqual([]);
  const looks = await page.evaluate(() => {
    const { backgroundColor, color } = getComputedStyle(document.body);
    const shown = (selector: string): boolean =>
      [...document.querySelectorAll(selector)].some((element) => getComputedStyle(element).display !== "none");
    const cut = [...document.querySelectorAll(".scroll")].some((box) => box.scrollHeight > box.clientHeight + 1);
    return { backgroundColor, color, nav: shown("nav"), charts: shown(".chart"), cut };
  });
  expect(looks).toEqual({
    backgroundColor: "rgb(255, 255, 255)",
    color: "rgb(0, 0, 0)",
    nav: false,
    charts: true,
    cut: false,
  });
  const pdf = await page.pdf({ format: "A4" });
  expect(new TextDecoder("latin1").decode(pdf.subarray(0, 5))).toBe("%PDF-");
  await page.emulateMedia({ media: "screen", colorScheme: "light" });
});

test("it asks for nothing from elsewhere, and no script of its own is stopped", async () => {
  expect(problems).toEqual([]);
  expect(await readFile(join(folder, "report.html"), "utf8")).not.toMatch(/<script/i);
});
