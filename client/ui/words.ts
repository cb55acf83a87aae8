import type { Backend } from "../../shared/sdk/task.ts";

/** Plain words for names that come from code. */

const BACKENDS: Readonly<Record<Backend, string>> = {
  js: "JavaScript",
  wasm: "WebAssembly",
  webgpu: "WebGPU",
  webgl: "WebGL",
};
export const backendName = (backend: Backend): string => BACKENDS[backend];

/** `mergeBuckets` and `merge-buckets` become `Merge buckets`. */
export function humanize(name: string): string {
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .replace(/[-_./]+/g, " ")
    .trim()
    .toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}
