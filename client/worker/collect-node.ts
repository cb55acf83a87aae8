import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

let collector: (() => void) | undefined;

/**
 * Frees what this thread does not use any more, now. Large buffers weigh little in the engine's own account: with a small memory
 * budget hundreds of megabytes of them would wait for a collection that nothing else causes.
 */
export function collectGarbage(): void {
  if (collector === undefined) {
    setFlagsFromString("--expose-gc");
    collector = runInNewContext("gc") as () => void;
  }
  collector();
}
