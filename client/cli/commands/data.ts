import { join } from "node:path";
import { toJSONSchema } from "zod";
import { checkParams, isS3, makeFolder } from "../../../coordinator/index.ts";
import { systemClock } from "../../../shared/clock.ts";
import { KindlingError } from "../../../shared/errors.ts";
import type { Value } from "../../../shared/value.ts";
import { syntheticWeather } from "../../../workloads/forecast/synthetic.ts";
import { tupleParameters } from "../../../workloads/string-count/parameters.ts";
import { wholeNumber } from "../numbers.ts";
import { OutFiles } from "../out-files.ts";
import { onInterrupt } from "../interrupts.ts";
import { isStdout, writeWhole } from "../part-file.ts";
import { describeOptions, flagOf, type OwnOption, parseOptions, schemaOptions } from "../schema-options.ts";
import { writeTuples } from "../tuples-file.ts";
import { type DownloadOptions, downloadWeather, SOURCES } from "../weather/download.ts";

export interface WeatherOptions extends DownloadOptions {
  readonly out: string;
  readonly seed: string;
}

/**
 * `kindling data weather`: three CSV files of synthetic daily weather in a folder, or one file of a place's real weather from a public
 * service.
 */
export async function dataWeather(options: WeatherOptions): Promise<void> {
  const { out, source } = options;
  if (source !== "synthetic") return realWeather(options);
  const unused = (["lat", "lon", "from", "to"] as const).find((name) => options[name] !== undefined);
  if (unused !== undefined) {
    throw new KindlingError(
      "BadUsage",
      `--${unused} needs a --source of real weather: ${Object.keys(SOURCES).join(", ")}`,
    );
  }
  const weather = syntheticWeather(wholeNumber(options.seed, "seed", 0, 2 ** 32 - 1));
  if (!isS3(out)) {
    await makeFolder(out).catch((cause: unknown) => {
      throw new KindlingError("CannotWrite", `${out}: such a folder cannot be made`, { cause });
    });
  }
  for (const [name, text] of Object.entries(weather) as [string, string][]) {
    const path = isS3(out) ? `${out.replace(/\/+$/, "")}/${name}.csv` : join(out, `${name}.csv`);
    await writeWhole(path, [new TextEncoder().encode(text)]);
    process.stdout.write(`${path}\n`);
  }
}

async function realWeather(options: WeatherOptions): Promise<void> {
  await new OutFiles(options.out, new Map()).check();
  const interrupt = new AbortController();
  const stopWaiting = onInterrupt(() =>
    interrupt.abort(new KindlingError("Cancelled", `${options.out} is not written: interrupted`)),
  );
  try {
    const tell = (message: string): void => void process.stderr.write(`${message}\n`);
    const csv = await downloadWeather(options, { clock: systemClock, signal: interrupt.signal, tell });
    await writeWhole(options.out, [new TextEncoder().encode(csv)]);
  } finally {
    stopWaiting();
  }
  if (!isStdout(options.out)) process.stdout.write(`${options.out}\n`);
}

const OWN = {
  out: { type: "string", value: "FILE", help: "file to write" },
  help: { type: "boolean", help: "show this" },
} as const satisfies Record<string, OwnOption>;

/** `kindling data tuples`: what string-count would generate, as a CSV file with the header `key,value`. */
export async function dataTuples(argv: readonly string[]): Promise<void> {
  const options = schemaOptions(toJSONSchema(tupleParameters, { io: "input", unrepresentable: "any" }) as Value);
  const { own, params } = parseOptions(argv, OWN, options);
  if (own["help"] === true) {
    process.stdout.write(`Usage: kindling data tuples --out FILE [options]\n\nOptions:\n${describeOptions(options)}\n`);
    return;
  }
  const out = own["out"];
  if (typeof out !== "string") throw new KindlingError("BadUsage", "data tuples needs --out FILE");
  const parsed = checkParams("data tuples", tupleParameters, params, flagOf);
  await new OutFiles(out, new Map()).check();
  await writeTuples(out, parsed, ["key", "value"]);
}
