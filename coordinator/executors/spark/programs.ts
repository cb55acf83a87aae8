import { join, resolve } from "node:path";
import { build } from "esbuild";

const FOLDER = resolve(import.meta.dirname, "../../../docker/spark");

/** The programs that run inside Spark. Python goes as it is. */
export const PYTHON = {
  bridge: join(FOLDER, "bridge.py"),
  native: join(FOLDER, "native.py"),
  /** Imported by both. */
  modules: ["kindling_program.py", "kindling_worker.py"].map((name) => join(FOLDER, name)),
};

/** Bundles the Node programs, one file each, that any Node from 20 on can run: `driver.mjs` and `task.mjs` in `folder`. */
export async function buildPrograms(folder: string): Promise<string[]> {
  await build({
    entryPoints: [join(FOLDER, "driver.ts"), join(FOLDER, "task.ts")],
    outdir: folder,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    // Packages in CommonJS, as the AWS SDK's, ask for Node's own modules by `require`, which a module has not.
    banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
    minifyWhitespace: true,
    legalComments: "none",
    logLevel: "silent",
    tsconfigRaw: {},
  });
  return ["driver.mjs", "task.mjs"].map((name) => join(folder, name));
}
