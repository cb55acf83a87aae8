import { KindlingError } from "../../shared/errors.ts";
import { registryOf } from "./image-name.ts";

/** A Dockerfile for `base` with the Python packages of a `requirements.txt` beside it. Throws `BadUsage`. */
export function derivedDockerfile(base: string): string {
  // Its registry does not matter here; its name must not end the line.
  registryOf(base.includes("/") ? base : `local/${base}`);
  return [
    `FROM ${base}`,
    "USER root",
    "COPY requirements.txt /opt/requirements.txt",
    "RUN python3 -m pip install --no-cache-dir --requirement /opt/requirements.txt",
    "USER kindling",
    "",
  ].join("\n");
}

/** Requirements, checked for what would end pip half-way through a build. Throws `BadUsage` naming the line. */
export function checkRequirements(file: string, text: string): void {
  const lines = text.split(/\r?\n/);
  const at = lines.findIndex((line) => /^\s*(-e\b|--editable|-r\b|--requirement\b|\.{0,2}\/)/.test(line));
  if (at >= 0) {
    throw new KindlingError(
      "BadUsage",
      `${file}, line ${at + 1}: ${lines[at]?.trim()} names a path, which is not in the image`,
    );
  }
  if (lines.every((line) => /^\s*(#.*)?$/.test(line))) throw new KindlingError("BadUsage", `${file} names no package`);
}
