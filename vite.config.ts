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
    projects: [
      {
        extends: true,
        test: { name: "unit", include: ["{client,coordinator,shared,workloads}/**/*.test.ts"] },
      },
      {
        // Real processes, browsers and ports: one file after the other.
        extends: true,
        test: {
          name: "e2e",
          include: ["e2e/**/*.test.ts"],
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
