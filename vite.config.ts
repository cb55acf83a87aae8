import { readFileSync } from "node:fs";
import { defineConfig } from "vitest/config";

/** Gives `.wasm` imports as bytes and `.wgsl` imports as text, as the workload bundler does. */
const assets = {
  name: "kindling:assets",
  enforce: "pre" as const,
  load(id: string): string | undefined {
    if (id.endsWith(".wasm")) {
      const base64 = readFileSync(id).toString("base64");
      return `export default Uint8Array.fromBase64("${base64}");`;
    }
    if (id.endsWith(".wgsl")) return `export default ${JSON.stringify(readFileSync(id, "utf8"))};`;
    return undefined;
  },
};

export default defineConfig({
  plugins: [assets],
  test: {
    include: ["{client,coordinator,shared,workloads,e2e}/**/*.test.ts"],
  },
});
