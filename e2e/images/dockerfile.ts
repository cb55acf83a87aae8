import { spawn } from "node:child_process";
import { cpSync, globSync, lstatSync, mkdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, matchesGlob } from "node:path";

export interface Instruction {
  readonly name: string;
  readonly text: string;
}

export interface Stage {
  readonly base: string;
  readonly name: string | null;
  readonly steps: readonly Instruction[];
}

/** The stages of a Dockerfile, as far as this project's use Dockerfiles. */
export function parseDockerfile(path: string): Stage[] {
  const lines = readFileSync(path, "utf8")
    .replaceAll(/^\s*#.*\n/gm, "")
    .replaceAll(/\\\n\s*/g, "");
  const stages: { base: string; name: string | null; steps: Instruction[] }[] = [];
  for (const line of lines.split("\n").filter((text) => text.trim() !== "")) {
    const [, name = "", text = ""] = /^(\w+)\s+(.*)$/.exec(line) ?? [];
    if (name === "FROM") {
      const [, base = "", as = null] = /^(\S+)(?:\s+AS\s+(\S+))?$/i.exec(text) ?? [];
      stages.push({ base, name: as, steps: [] });
    } else {
      stages.at(-1)?.steps.push({ name, text });
    }
  }
  return stages;
}

/** The words of an instruction in JSON form. */
export const words = (stage: Stage | undefined, name: string): string[] => {
  const found = stage?.steps.findLast((step) => step.name === name)?.text ?? "[]";
  return JSON.parse(found.slice(found.indexOf("["))) as string[];
};

/** A copy of the project as Docker would send it: without what .dockerignore names. */
export function buildContext(project: string, folder: string): void {
  const ignored = readFileSync(join(project, ".dockerignore"), "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
  cpSync(project, folder, {
    recursive: true,
    filter: (path) => {
      const relative = path.slice(project.length + 1);
      return relative === "" || !ignored.some((pattern) => matchesGlob(relative, pattern));
    },
  });
}

/** Does a stage's COPY and RUN steps in a folder that stands for its working directory. */
export async function replay(stage: Stage, context: string, workdir: string): Promise<void> {
  mkdirSync(workdir, { recursive: true });
  for (const { name, text } of stage.steps) {
    if (name === "COPY") copy(text.split(/\s+/), context, workdir);
    if (name === "RUN") await shell(text, workdir);
  }
}

function copy(parts: readonly string[], context: string, workdir: string): void {
  const target = join(workdir, parts.at(-1) ?? "");
  for (const pattern of parts.slice(0, -1)) {
    const found = pattern === "." ? ["."] : globSync(pattern, { cwd: context });
    if (found.length === 0) throw new Error(`COPY ${pattern}: there is no such file in the context`);
    for (const source of found) {
      const from = join(context, source);
      // A folder's content is copied, a file goes into a folder.
      const into = lstatSync(from).isDirectory() ? target : join(target, basename(source));
      mkdirSync(dirname(into), { recursive: true });
      cpSync(from, into, { recursive: true });
    }
  }
}

function shell(command: string, cwd: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn("sh", ["-c", command], { cwd, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (data: Buffer) => {
        output += data.toString();
      });
    }
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) resolve();
      else reject(new Error(`RUN ${command} ended with ${code}:\n${output.slice(-2_000)}`));
    });
  });
}
