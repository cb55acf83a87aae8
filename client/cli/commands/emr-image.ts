import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkRequirements, derivedDockerfile, docker } from "../../../docker/emr/index.ts";
import { KindlingError } from "../../../shared/errors.ts";

interface DeriveOptions {
  readonly requirements: string;
  readonly base: string;
  readonly tag: string;
  readonly print?: boolean;
}

/** `kindling emr image`: an image with the caller's own Python packages. */
export async function emrImage({ requirements, base, tag, print }: DeriveOptions): Promise<void> {
  const text = await readFile(requirements, "utf8").catch((cause: unknown) => {
    throw new KindlingError("BadUsage", `--requirements ${requirements} cannot be read`, { cause });
  });
  checkRequirements(requirements, text);
  const dockerfile = derivedDockerfile(base);
  if (print) return void process.stdout.write(dockerfile);
  const context = await mkdtemp(join(tmpdir(), "kindling-image-"));
  try {
    await writeFile(join(context, "Dockerfile"), dockerfile);
    await writeFile(join(context, "requirements.txt"), text);
    await docker(["build", "--tag", tag, context]);
  } finally {
    await rm(context, { recursive: true, force: true });
  }
  process.stdout.write(`${tag}\n`);
}
