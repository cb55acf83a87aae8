import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A private Python with the packages of one `requirements.txt`. */
export interface Python {
  /** Runs a script with one JSON argument and gives the JSON object that it printed. */
  run(script: string, request: Readonly<Record<string, unknown>>): Promise<Record<string, unknown>>;
  /** The pinned packages, `name==version`. */
  readonly packages: readonly string[];
}

/** Both or neither: one without the other makes OpenBLAS pick kernels for a machine that this is not. */
const TUNED_FOR_ANOTHER = ["OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"];

/** Builds the environment in `folder` once, and again when the requirements have changed. */
export function preparePython(folder: string, requirements: string, say: (line: string) => void): void {
  const wanted = readFileSync(requirements, "utf8");
  const stamp = join(folder, "requirements.txt");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;
  say(`building a Python environment with ${packagesOf(wanted).join(", ")}`);
  rmSync(folder, { recursive: true, force: true });
  command("python3", ["-m", "venv", folder]);
  command(join(folder, "bin/python"), ["-m", "pip", "install", "--quiet", "--requirement", requirements]);
  writeFileSync(stamp, wanted);
}

/** The environment that `preparePython` has built. */
export function openPython(folder: string): Python {
  return {
    packages: packagesOf(readFileSync(join(folder, "requirements.txt"), "utf8")),
    run: async (script, request) => {
      const output = await runPython(join(folder, "bin/python"), [script, JSON.stringify(request)]);
      return JSON.parse(output) as Record<string, unknown>;
    },
  };
}

const packagesOf = (requirements: string): string[] => requirements.split("\n").filter((line) => /^\w/.test(line));

function command(program: string, args: readonly string[]): void {
  const { status, error, stderr } = spawnSync(program, args, { encoding: "utf8" });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${program} ${args.join(" ")} ended with ${status}: ${stderr.trim()}`);
}

function runPython(program: string, args: readonly string[]): Promise<string> {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !TUNED_FOR_ANOTHER.includes(name)));
  return new Promise((resolve, reject) => {
    // Polars and OpenMP read their number of threads once, when they are loaded.
    const limits = { POLARS_MAX_THREADS: "2", OMP_NUM_THREADS: "2" };
    const child = spawn(program, args, { env: { ...env, ...limits }, stdio: ["ignore", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (data: Buffer) => {
      stdout += data.toString();
    });
    child.stderr.on("data", (data: Buffer) => {
      stderr += data.toString();
    });
    child.on("error", reject);
    child.on("close", (code, signal) => {
      if (code === 0) resolve(stdout);
      else reject(new Error(stderr.trim().split("\n").at(-1) || `${program} ended with ${code ?? signal}`));
    });
  });
}
