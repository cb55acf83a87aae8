import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { builtinModules } from "node:module";
import { build, type Message, type Plugin } from "esbuild";
import { KindlingError } from "../../shared/errors.ts";
import { sha256Hex } from "../../shared/hash.ts";
import { type BlobHash, blobHash } from "../../shared/ids.ts";

const ROOT = resolve(import.meta.dirname, "../..");

/** A workload as it travels: one ES module with its WASM and WGSL inside, named by the SHA-256 of its bytes. */
export interface Bundle {
  readonly code: Uint8Array;
  readonly hash: BlobHash;
}

/** The built-in workloads, by name: a folder of `workloads/` each. */
export const builtinPath = (name: string): string => join(ROOT, "workloads", name, "workload.ts");
export const isBuiltin = (name: string): boolean => /^[a-z][a-z0-9-]*$/.test(name) && existsSync(builtinPath(name));

/**
 * Bundles a workload file from anywhere on disk: `kindling` (and with it `z`) resolves to this project. The bytes depend on
 * the sources alone, not on where they lie. Rejects with `BadWorkload`, naming file and line.
 */
export async function bundleWorkload(file: string): Promise<Bundle> {
  const entry = resolve(file);
  if (!existsSync(entry)) throw new KindlingError("BadWorkload", `${file}: no such workload file`);
  const result = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    absWorkingDir: dirname(entry),
    format: "esm",
    platform: "browser",
    target: "es2022",
    charset: "utf8",
    // Without white space there are no comments with paths either, so that a copy elsewhere has the same hash.
    minifyWhitespace: true,
    legalComments: "none",
    logLevel: "silent",
    // A tsconfig.json that happens to lie around the file must not change its bytes.
    tsconfigRaw: {},
    alias: { kindling: join(ROOT, "shared/sdk/index.ts") },
    loader: { ".wasm": "binary", ".wgsl": "text" },
    plugins: [withoutNodeModules],
  }).catch((error: unknown) => {
    throw new KindlingError("BadWorkload", `${file} cannot be bundled: ${describe(error)}`, { cause: error });
  });
  const code = result.outputFiles[0]?.contents ?? new Uint8Array();
  return { code, hash: blobHash(await sha256Hex(code)) };
}

/**
 * Bundles run in tabs too. A library that has a Node module only for one of its ways gets a stand-in that says so when it is
 * used; a workload's own import of one is an error at once.
 */
const withoutNodeModules: Plugin = {
  name: "kindling:without-node-modules",
  setup(context) {
    const names = builtinModules.filter((name) => !name.startsWith("_")).join("|");
    context.onResolve({ filter: new RegExp(`^(node:.*|${names})$`) }, ({ path, importer }) => {
      if (importer.includes("/node_modules/")) return { path, namespace: "absent" };
      return { errors: [{ text: `a workload runs in browsers too and cannot import the Node module ${path}` }] };
    });
    context.onLoad({ filter: /.*/, namespace: "absent" }, ({ path }) => ({
      contents: `module.exports = new Proxy({}, { get(_, name) {
        if (name === "__esModule" || name === "default") return undefined;
        throw new Error(${JSON.stringify(path)} + "." + String(name) + " is Node's, and this code runs in browsers too");
      } });`,
    }));
  },
};

function describe(error: unknown): string {
  const messages = (error as { errors?: Message[] }).errors ?? [];
  if (messages.length === 0) return String(error);
  return messages
    .map(({ text, location }) =>
      location ? `${location.file}:${location.line}:${location.column + 1}: ${text}` : text,
    )
    .join("; ");
}
