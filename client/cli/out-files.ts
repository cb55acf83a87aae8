import { constants } from "node:fs";
import { access, type FileHandle, open, rename, rm } from "node:fs/promises";
import { basename, dirname, extname, resolve } from "node:path";
import type { ArtifactSink } from "../../coordinator/index.ts";
import { KindlingError } from "../../shared/errors.ts";

/**
 * Where a run's artifacts go: `--out` takes the first one, `--NAME-out` the one called NAME (`--model-out` takes `model.json`).
 */
export class OutFiles {
  readonly #first: string | null;
  readonly #named: ReadonlyMap<string, string>;
  readonly #written = new Map<string, string>();
  #count = 0;

  constructor(first: string | null, named: ReadonlyMap<string, string>) {
    this.#first = first;
    this.#named = named;
  }

  /** Rejects with `CannotWrite`, naming the file, before any work is done in vain. */
  async check(): Promise<void> {
    for (const file of [this.#first, ...this.#named.values()]) {
      if (file === null) continue;
      await access(dirname(resolve(file)), constants.W_OK).catch((cause: unknown) => {
        throw new KindlingError("CannotWrite", `${file}: its folder is not there or cannot be written`, { cause });
      });
    }
  }

  /** The file that an artifact goes to, or null. Artifacts must be asked for in their order. */
  target(artifact: string): string | null {
    const index = this.#count++;
    const stem = basename(artifact, extname(artifact));
    const path = this.#named.get(stem) ?? (index === 0 ? this.#first : null);
    if (path !== null) this.#written.set(artifact, path);
    return path;
  }

  /** Where an artifact was written, for the summary. */
  pathOf(artifact: string): string | null {
    return this.#written.get(artifact) ?? null;
  }
}

/** Writes beside the target and renames when all is there. A null target takes everything and keeps nothing. */
export async function fileSink(target: string | null): Promise<ArtifactSink> {
  if (target === null) {
    return { write: async () => undefined, finish: async () => undefined, abandon: async () => undefined };
  }
  const beside = `${target}.${process.pid}.part`;
  let handle: FileHandle;
  try {
    handle = await open(beside, "wx");
  } catch (cause) {
    throw new KindlingError("CannotWrite", `${target} cannot be written: ${(cause as Error).message}`, { cause });
  }
  return {
    async write(part) {
      for (let at = 0; at < part.byteLength; ) {
        const { bytesWritten } = await handle.write(part, at);
        at += bytesWritten;
      }
    },
    async finish() {
      await handle.close();
      await rename(beside, target);
    },
    async abandon() {
      await handle.close();
      await rm(beside, { force: true });
    },
  };
}
