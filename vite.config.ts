import { readFileSync } from "node:fs";
import { basename } from "node:path";
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

/** Pages lie in the folders of their code, and are served side by side: `client/join/join.html` becomes `join.html`. */
const flatPages = {
  name: "kindling:flat-pages",
  enforce: "post" as const,
  generateBundle(_options: unknown, bundle: Record<string, { fileName: string }>): void {
    for (const file of Object.values(bundle)) {
      if (file.fileName.endsWith(".html")) file.fileName = basename(file.fileName);
    }
  },
};

export default defineConfig({
  plugins: [assets, flatPages],
  base: "/",
  worker: { format: "es", plugins: () => [assets] },
  build: {
    target: "es2022",
    outDir: "dist/pages",
    // The content policy of the pages allows no inline script; small images would become data: URLs.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { input: ["client/join/join.html", "client/dashboard/dashboard.html"] },
  },
  test: {
    projects: [
      {
        extends: true,
        test: { name: "unit", include: ["{client,coordinator,shared,workloads,docker}/**/*.test.ts"] },
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
