import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { KindlingError } from "../../../shared/errors.ts";
import { syntheticWeather } from "../../../workloads/forecast/synthetic.ts";
import { fileSink } from "../out-files.ts";

/** `kindling data weather`: three CSV files of synthetic daily weather. */
export async function dataWeather(options: { readonly out: string; readonly seed: string }): Promise<void> {
  const weather = syntheticWeather(seedOf(options.seed));
  await mkdir(options.out, { recursive: true });
  for (const [name, text] of Object.entries(weather) as [string, string][]) {
    const path = join(options.out, `${name}.csv`);
    const sink = await fileSink(path);
    await sink.write(new TextEncoder().encode(text));
    await sink.finish();
    process.stdout.write(`${path}\n`);
  }
}

export async function dataTuples(): Promise<void> {}

function seedOf(text: string): number {
  const seed = Number(text);
  if (!Number.isInteger(seed) || seed < 0 || seed >= 2 ** 32) {
    throw new KindlingError("BadUsage", `--seed takes a whole number below 2^32, not ${JSON.stringify(text)}`);
  }
  return seed;
}
