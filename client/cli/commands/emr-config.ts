import {
  checkRegion,
  ecrHost,
  notebookCell,
  parseRelease,
  rapidsBootstrap,
  registryOf,
  type Settings,
  softwareSettings,
} from "../../../docker/emr/index.ts";
import { KindlingError } from "../../../shared/errors.ts";
import { wholeNumber } from "../numbers.ts";
import { OutFiles } from "../out-files.ts";
import { writeWhole } from "../part-file.ts";

/** The options that name an image and the cluster it is for. */
export interface ImageOptions {
  readonly image?: string;
  readonly account?: string;
  readonly region?: string;
  readonly release?: string;
  readonly executors: string;
}

export interface ConfigOptions extends ImageOptions {
  readonly registry?: readonly string[];
  readonly rapids?: boolean;
  readonly bootstrap?: boolean;
  readonly out?: string;
}

/** `kindling emr config`: a cluster's software settings, as EMR's API and console take them. */
export async function emrConfig(options: ConfigOptions): Promise<void> {
  if (options.bootstrap) {
    if (!options.rapids) throw new KindlingError("BadUsage", "--bootstrap goes with --rapids: nothing else needs one");
    return print(rapidsBootstrap(parseRelease(options.release)), options.out);
  }
  const { configurations, warnings } = settingsOf(options);
  for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`);
  await print(`${JSON.stringify(configurations, null, 2)}\n`, options.out);
}

/** `kindling emr notebook-cell`: the first cell of a notebook that is attached to the cluster. */
export async function emrNotebookCell(options: ImageOptions): Promise<void> {
  const image = imageOf(options);
  if (image === null) throw new KindlingError("BadUsage", "notebook-cell needs --image");
  registryOf(image);
  process.stdout.write(notebookCell(parseRelease(options.release), image, executorsOf(options)));
}

export const settingsOf = (options: ConfigOptions): Settings =>
  softwareSettings({
    release: parseRelease(options.release),
    image: imageOf(options),
    registries: options.registry ?? [],
    executors: executorsOf(options),
    rapids: options.rapids ?? false,
  });

const executorsOf = ({ executors }: ImageOptions): number => wholeNumber(executors, "executors", 1, 10_000);

/** The image with its registry: the account's own in ECR, where an account is named. */
function imageOf({ image, account, region }: ImageOptions): string | null {
  if (region !== undefined) checkRegion(region);
  if (account === undefined) return image ?? null;
  if (region === undefined) throw new KindlingError("BadUsage", "--account needs --region: together they name its ECR");
  if (image === undefined) throw new KindlingError("BadUsage", "--account needs --image: the repository and its tag");
  return `${ecrHost(account, region)}/${image}`;
}

async function print(text: string, out: string | undefined): Promise<void> {
  if (out === undefined) return void process.stdout.write(text);
  await new OutFiles(out, new Map()).check();
  await writeWhole(out, [new TextEncoder().encode(text)]);
}
