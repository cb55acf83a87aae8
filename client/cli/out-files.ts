import { constants } from "node:fs";
import { access, realpath, stat } from "node:fs/promises";
import { basename, dirname, extname, join, resolve } from "node:path";
import { type ArtifactSink, isS3 } from "../../coordinator/index.ts";
import { KindlingError } from "../../shared/errors.ts";
import { isSpecial, isStdout, type PartFile, partFile } from "./part-file.ts";
import { s3 } from "./s3.ts";

const REPORT_DATA = "report.json";

/**
 * Where a run's artifacts go: `--NAME-out` takes the one called NAME (`--model-out` takes `model.json`), `--out` the first of the
 * others. All of them appear when the run has succeeded, or none does.
 */
export class OutFiles {
  readonly #first: string | null;
  readonly #named: ReadonlyMap<string, string>;
  readonly #report: string | null;
  readonly #reportParts: Uint8Array[] = [];
  readonly #files = new Map<string, { readonly path: string; readonly file: PartFile }>();
  #isFirstTaken = false;

  /** `report` is the page that the artifact `report.json` is wanted for: its data is kept in memory. */
  constructor(first: string | null, named: ReadonlyMap<string, string>, report: string | null = null) {
    this.#report = report;
    this.#first = first;
    this.#named = named;
  }

  /**
   * Rejects with `CannotWrite` or `BadUsage`, naming the file, before any work is done in vain, or one of `inputs` is lost:
   * the files, patterns already replaced, that the run reads.
   */
  async check(inputs: readonly string[] = []): Promise<void> {
    const read = new Set(await Promise.all(inputs.map(fileId)));
    const written = new Set<string>();
    for (const path of [...this.#targets(), ...(this.#report === null ? [] : [this.#report])]) {
      if (path === "")
        throw new KindlingError(
          "BadUsage",
          "A result needs a file name: --out, --model-out and --report take one that is not empty",
        );
      const id = isStdout(path) ? "standard output" : await fileId(path);
      if (written.has(id)) throw new KindlingError("BadUsage", `${path} is named for two results`);
      // A terminal or pipe may be both read and written: nothing in it is replaced.
      if (read.has(id) && !(await isSpecial(path))) {
        throw new KindlingError(
          "BadUsage",
          `${path} is one of the input files, and would be overwritten: name another file`,
        );
      }
      written.add(id);
      if (!isStdout(path)) await checkTarget(path);
    }
  }

  /** Takes an artifact's bytes: to its file, or nowhere. Artifacts must be opened in their order. */
  async open(artifact: string): Promise<ArtifactSink> {
    if (artifact === REPORT_DATA) return this.#report === null ? nowhere : this.#keepReport();
    const path = this.#targetOf(artifact);
    if (path === null) return nowhere;
    const file = await partFile(path);
    this.#files.set(artifact, { path, file });
    return file;
  }

  /** Makes all files visible. Rejects with `NoArtifact` where the run has made nothing for one of them. */
  async publish(): Promise<void> {
    const filled = new Set([...this.#files.values()].map(({ path }) => path));
    const empty = this.#targets().filter((path) => !filled.has(path));
    if (empty.length > 0) {
      throw new KindlingError("NoArtifact", `${empty.join(", ")}: the workload has made no such result`);
    }
    for (const { file } of this.#files.values()) await file.publish();
  }

  /** Leaves nothing behind of a run that has failed. */
  async abandon(): Promise<void> {
    for (const { file } of this.#files.values()) await file.abandon();
  }

  /** What `report.json` held; null where the run has made none. */
  reportData(): string | null {
    return this.#reportParts.length === 0 ? null : Buffer.concat(this.#reportParts).toString("utf8");
  }

  #keepReport(): ArtifactSink {
    return {
      write: async (part) => void this.#reportParts.push(part.slice()),
      finish: async () => undefined,
      abandon: async () => undefined,
    };
  }

  /** Whether something of the run goes to standard output: nothing else may, then. */
  get takesStdout(): boolean {
    return [...this.#targets(), this.#report].some((path) => path !== null && isStdout(path));
  }

  /** Where an artifact was written, for the summary. */
  pathOf(artifact: string): string | null {
    return this.#files.get(artifact)?.path ?? null;
  }

  #targets(): string[] {
    return [...(this.#first === null ? [] : [this.#first]), ...this.#named.values()];
  }

  #targetOf(artifact: string): string | null {
    const named = this.#named.get(basename(artifact, extname(artifact)));
    if (named !== undefined) return named;
    if (this.#isFirstTaken) return null;
    this.#isFirstTaken = true;
    return this.#first;
  }
}

const nowhere: ArtifactSink = {
  write: async () => undefined,
  finish: async () => undefined,
  abandon: async () => undefined,
};

/** The same for every name of a file: of one that is there by any link, of one that is not yet by any way to its folder. */
async function fileId(path: string): Promise<string> {
  if (isS3(path)) return path;
  const info = await stat(path, { bigint: true }).catch(() => null);
  if (info?.isFile()) return `${info.dev}:${info.ino}`;
  const whole = resolve(path);
  return join(await realpath(dirname(whole)).catch(() => dirname(whole)), basename(whole));
}

async function checkTarget(path: string): Promise<void> {
  if (isS3(path)) return s3.checkWritable(path);
  const info = await stat(path).catch(() => null);
  if (info?.isDirectory()) throw new KindlingError("CannotWrite", `${path} is a folder: name a file`);
  const written = (await isSpecial(path)) ? path : dirname(resolve(path));
  await access(written, constants.W_OK).catch((cause: unknown) => {
    throw new KindlingError("CannotWrite", `${path}: its folder is not there or cannot be written`, { cause });
  });
}
