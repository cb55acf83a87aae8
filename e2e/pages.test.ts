import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Cluster } from "./support/cluster.ts";
import { until } from "./support/until.ts";

let cluster: Cluster;
beforeAll(async () => {
  cluster = await Cluster.start();
});
afterAll(() => cluster.close());

const problems: string[] = [];
function watch(page: Page): void {
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") problems.push(message.text());
  });
}

test("the join token leaves the address bar and the history at once", async () => {
  const page = await (await cluster.browser()).newPage();
  watch(page);
  await page.goto(cluster.joinLink);
  await page.getByRole("button", { name: /^start/i }).waitFor();
  expect(page.url()).toBe(`${cluster.url}/join`);
  await page.goto("about:blank");
  await page.goBack();
  expect(page.url()).toBe(`${cluster.url}/join`);
  await page.close();
});

test("a job is started again from the dashboard, a tab takes part and sees its share", async () => {
  const tab = await cluster.addTab("volunteer");
  watch(tab);
  await cluster.run("pi", { samples: 1_000_000 });

  const dashboard = await (await cluster.browser()).newPage();
  watch(dashboard);
  await dashboard.goto(`${cluster.url}/dashboard#token=${cluster.operator}`);
  await dashboard
    .getByRole("button", { name: /^run .*again/i })
    .first()
    .click();
  const [again] = await until("a second job that has ended", async () => {
    const { jobs } = await cluster.client.overview();
    return jobs.length === 2 && jobs[0]?.state === "succeeded" && jobs;
  });
  expect(again?.shares).toMatchObject([{ name: "volunteer" }]);
  await dashboard.getByText("volunteer").first().waitFor();
  await tab
    .getByText(/your share/i)
    .first()
    .waitFor();
  await tab
    .getByText(/100 ?%/)
    .first()
    .waitFor();
});

test("a job is started again from the join page", async () => {
  const tab = await cluster.addTab("second volunteer");
  const before = (await cluster.client.overview()).jobs.length;
  await tab
    .getByRole("button", { name: /^run .*again/i })
    .first()
    .click();
  await until("one job more", async () => (await cluster.client.overview()).jobs.length === before + 1);
});

test("pause gives no more work, resume does, stop leaves", async () => {
  const tab = await cluster.addTab("pausing");
  const state = async (): Promise<string | undefined> =>
    (await cluster.client.overview()).nodes.find(({ name }) => name === "pausing")?.state;
  await tab.getByRole("button", { name: /^pause/i }).click();
  await until("paused", async () => (await state()) === "paused");
  await tab.getByRole("button", { name: /^resume/i }).click();
  await until("ready again", async () => (await state()) === "ready");
  await tab.getByRole("button", { name: /^stop/i }).click();
  await cluster.gone("pausing");
});

test("a wrong token is said to be wrong, on both pages", async () => {
  const page = await (await cluster.browser()).newPage();
  for (const path of ["dashboard", "join"]) {
    await page.goto(`${cluster.url}/${path}#token=${"x".repeat(43)}`);
    await page.getByText(/does not accept this/i).waitFor();
  }
  await page.close();
});

test("neither page reported an error or broke its content security policy", () => {
  expect(problems).toEqual([]);
});
