import { closeSync, openSync, readSync } from "node:fs";
import { KindlingError } from "../../shared/errors.ts";
import type { SourceSpec } from "../../shared/protocol/messages.ts";
import type { OpenSource } from "../../shared/runtime/environment.ts";

/** A file of this machine, read straight into the kernel's memory. */
export function openFile(path: string, source: SourceSpec): OpenSource {
  const file = orUnavailable(source, () => openSync(path, "r"));
  return {
    name: source.name,
    size: source.bytes,
    readInto(target, start) {
      const want = Math.max(0, Math.min(target.byteLength, source.bytes - start));
      let filled = 0;
      while (filled < want) {
        const read = orUnavailable(source, () => readSync(file, target, filled, want - filled, start + filled));
        if (read === 0) break;
        filled += read;
      }
      return filled;
    },
    close: () => closeSync(file),
  };
}

function orUnavailable<T>(source: SourceSpec, act: () => T): T {
  try {
    return act();
  } catch (cause) {
    const message = `Cannot read ${source.name}: ${(cause as Error).message}`;
    throw new KindlingError("SourceUnavailable", message, { retryable: true, cause });
  }
}
