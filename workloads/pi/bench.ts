/** `node workloads/pi/bench.ts`: nanoseconds a sample of both kernels on one thread. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { countInside, GROUP } from "./inside.ts";

const bytes = readFileSync(join(import.meta.dirname, "kernel.wasm"));
const { instance } = await WebAssembly.instantiate(bytes, {});
const { countGroups } = instance.exports as unknown as { countGroups(seed: number, group: number, n: number): number };

function report(name: string, samples: number, run: () => void): void {
  run();
  const begin = performance.now();
  run();
  console.log(`${name} ${(((performance.now() - begin) * 1e6) / samples).toFixed(2)} ns/sample`);
}
report("wasm", 2 ** 25, () => countGroups(1, 0, 2 ** 25 / GROUP));
report("js", 2 ** 21, () => countInside({ seed: 1, start: 0, count: 2 ** 21 }));
