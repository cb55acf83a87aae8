import { existsSync } from "node:fs";
import { join } from "node:path";
import { kindling } from "../../support/processes.ts";
import { folders, makeOnce } from "../folders.ts";

const PROJECT = join(import.meta.dirname, "../../..");

/** Daily weather to fit on. */
export interface Weather {
  readonly folder: string;
  /** File name in the folder. */
  readonly observed: string;
  /** Whether these are the original's data, for which the bars on errors are meant. */
  readonly isReference: boolean;
}

/** The original's data where they are, from KINDLING_REFERENCE_DATA or beside the project; else synthetic ones. */
export async function findWeather(say: (line: string) => void): Promise<Weather> {
  const folder = process.env["KINDLING_REFERENCE_DATA"] ?? join(PROJECT, "../shared/data");
  if (existsSync(join(folder, "observed_1.csv"))) return { folder, observed: "observed_1.csv", isReference: true };
  const synthetic = join(folders.data, "weather");
  await makeOnce(synthetic, say, async (partial) => {
    const { code, stderr } = await kindling(["data", "weather", "--out", partial]);
    if (code !== 0) throw new Error(`kindling data weather failed: ${stderr.trim()}`);
  });
  return { folder: synthetic, observed: "observed.csv", isReference: false };
}
