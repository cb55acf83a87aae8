import { jobId } from "../../shared/ids.ts";
import { UPLOAD_PREFIX } from "../../shared/protocol/api.ts";
import type { Value } from "../../shared/value.ts";
import { syntheticWeather } from "../../workloads/forecast/synthetic.ts";
import type { ApiClient } from "../api/client.ts";
import { showProgress } from "./progress.ts";
import { printable, summarize } from "./summary.ts";

const SEED = 1;
const TUPLES = 100_000_000;

/** Runs both jobs at full size on the coordinator, one after the other, and prints what came out. */
export async function runDemo(client: ApiClient): Promise<void> {
  const weather = syntheticWeather(SEED);
  const upload = async (name: string, text: string): Promise<string> => {
    const { hash } = await client.uploadFile(new TextEncoder().encode(text));
    return `${UPLOAD_PREFIX}${hash}/${name}`;
  };
  process.stdout.write(
    "\nForecasting humidity from synthetic daily weather, 1990–2021 (made for this demonstration)\n",
  );
  await runOne(client, "forecast", {
    observed: await upload("synthetic-observed.csv", weather.observed),
    future: await upload("synthetic-future.csv", weather.future),
    holdout: "0.1",
  });
  process.stdout.write(`\nSumming ${TUPLES.toLocaleString("en")} generated tuples by key\n`);
  await runOne(client, "string-count", { tuples: TUPLES });
}

async function runOne(client: ApiClient, workload: string, params: Record<string, Value>): Promise<void> {
  const id = jobId(await client.submit({ workload, params }));
  let job = await client.job(id);
  const stopProgress = showProgress(() => job);
  while (job.state === "running") {
    await new Promise((resolve) => setTimeout(resolve, 150));
    job = await client.job(id);
  }
  stopProgress();
  if (job.state === "succeeded") process.stdout.write(`${printable(summarize(job, "fabric", () => null))}\n`);
  else process.stdout.write(`${workload} ${job.state}: ${job.error?.message ?? ""}\n`);
}
