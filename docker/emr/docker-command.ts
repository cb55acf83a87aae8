import { type ChildProcess, spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { KindlingError } from "../../shared/errors.ts";
import type { RegistryLogin } from "./ecr.ts";

const SIGNALS = ["SIGINT", "SIGTERM"] as const;
/** Under way. */
const running = new Set<ChildProcess>();

/** Runs the `docker` on PATH; what it says goes to standard error. Rejects with `DockerFailed`. */
export function docker(args: readonly string[], options: { stdin?: string; config?: string } = {}): Promise<void> {
  const { stdin, config } = options;
  return new Promise((resolve, reject) => {
    const env = config === undefined ? process.env : { ...process.env, DOCKER_CONFIG: config };
    const child = spawn("docker", args, { env, stdio: ["pipe", 2, 2] });
    running.add(child);
    child.on("error", (cause: NodeJS.ErrnoException) => {
      const why = cause.code === "ENOENT" ? "it is not on PATH: install Docker's command line" : cause.message;
      reject(new KindlingError("DockerFailed", `docker cannot be run: ${why}`, { cause }));
    });
    child.on("close", (code, signal) => {
      running.delete(child);
      if (code === 0) resolve();
      else reject(new KindlingError("DockerFailed", `docker ${args[0]} ended with ${signal ?? `exit code ${code}`}`));
    });
    // A docker that ends before it reads says why by itself.
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(stdin ?? "");
  });
}

/**
 * Does something logged in to a registry. Docker writes logins into its configuration folder, so that it gets one of its own, which is
 * deleted afterwards, also when the process is told to end: the caller's contexts and plug-ins hold there, and no password stays behind.
 */
export async function loggedIn(
  { host, user, password }: RegistryLogin,
  action: (config: string) => Promise<void>,
): Promise<void> {
  const usual = process.env["DOCKER_CONFIG"] ?? join(homedir(), ".docker");
  const config = await mkdtemp(join(tmpdir(), "kindling-docker-"));
  const interrupted = (signal: NodeJS.Signals): void => {
    // A login that is under way would be written after the deletion.
    for (const child of running) child.kill("SIGKILL");
    rmSync(config, { recursive: true, force: true });
    for (const name of SIGNALS) process.off(name, interrupted);
    process.kill(process.pid, signal);
  };
  for (const signal of SIGNALS) process.once(signal, interrupted);
  try {
    const { auths: _auths, credsStore: _store, credHelpers: _helpers, ...rest } = await readConfig(usual);
    await writeFile(join(config, "config.json"), JSON.stringify(rest), { mode: 0o600 });
    for (const name of ["contexts", "cli-plugins", "buildx"]) {
      await symlink(join(usual, name), join(config, name)).catch(() => undefined);
    }
    await docker(["login", "--username", user, "--password-stdin", host], { stdin: password, config });
    await action(config);
  } finally {
    for (const signal of SIGNALS) process.off(signal, interrupted);
    await rm(config, { recursive: true, force: true });
  }
}

async function readConfig(folder: string): Promise<Record<string, unknown>> {
  const text = await readFile(join(folder, "config.json"), "utf8").catch(() => "{}");
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch (cause) {
    throw new KindlingError("DockerFailed", `${join(folder, "config.json")} is not JSON`, { cause });
  }
}
