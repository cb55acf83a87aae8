/** Compiles each workload's `assembly/index.ts` (AssemblyScript) to the `kernel.wasm` beside its TypeScript. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import asc from "assemblyscript/asc";

const root = import.meta.dirname;
for (const name of readdirSync(root)) {
  const entry = join(root, name, "assembly/index.ts");
  if (!existsSync(entry)) continue;
  const { error, stderr } = await asc.main([
    entry,
    "--outFile",
    join(root, name, "kernel.wasm"),
    "--optimizeLevel",
    "3",
    "--shrinkLevel",
    "0",
    "--converge",
    "--noAssert",
    "--runtime",
    "stub",
    "--enable",
    "simd",
    "--enable",
    "bulk-memory",
    "--use",
    "abort=",
  ]);
  if (error) {
    process.stderr.write(`${name}: ${stderr.toString()}\n`);
    process.exitCode = 1;
  }
}
