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
    minifyWhitespace: true,
    legalComments: "none",
    logLevel: "silent",
    tsconfigRaw: {},
  });
  return ["driver.mjs", "task.mjs"].map((name) => join(folder, name));
}
