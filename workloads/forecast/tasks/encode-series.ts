import { type Dataset, defineTask, type Job } from "kindling";

/** Text of a file between its other parts. */
export const writeText = defineTask<string, string>({ js: (text) => text });

/** One JSON file of the models of all series, by name. */
export async function joinModels(
  job: Job,
  column: string,
  models: readonly { readonly series: string; readonly file: Dataset<string> }[],
): Promise<Dataset<string>> {
  const head = JSON.stringify({ format: "kindling-forest-series", version: 1, column });
  const opened = models.map(
    ({ series }, at) => `${at === 0 ? `${head.slice(0, -1)},"models":{` : ","}\n${JSON.stringify(series)}:`,
  );
  const texts = await job.map(writeText, [...opened, "}}\n"]);
  const parts = models.flatMap(({ file }, at) => [...texts.parts.slice(at, at + 1), ...file.parts]);
  return { parts: [...parts, ...texts.parts.slice(-1)], buckets: 1, summaries: [] };
}
