import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { folders, makeOnce } from "../folders.ts";
import type { Python } from "../../support/python.ts";

const PACKAGE = "r-cran-modeldata";
const RDATA = "usr/lib/R/site-library/modeldata/data/Rdata";

/** Daily weather of one city: where `fetchChicago` leaves it. */
export const CHICAGO = join(folders.data, "chicago.csv");

/** Takes the data set Chicago out of Debian's package, once. Needs the network. */
export async function fetchChicago(python: Python, say: (line: string) => void): Promise<void> {
  await makeOnce(CHICAGO, say, async (partial) => {
    const folder = mkdtempSync(join(tmpdir(), "kindling-chicago-"));
    try {
      download(folder);
      const [name = ""] = readdirSync(folder).filter((file) => file.endsWith(".deb"));
      const unpacked = join(folder, "unpacked");
      mkdirSync(unpacked);
      const problem = command("dpkg-deb", ["--extract", name, unpacked], folder);
      if (problem !== undefined) throw new Error(problem);
      const request = { rdata: join(unpacked, RDATA), out: partial };
      await python.run(join(import.meta.dirname, "chicago_csv.py"), request);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
}

/** Downloads the package; where the list of packages is missing or old, root fetches that first. */
function download(folder: string): void {
  const fetch = (): string | undefined => command("apt-get", ["download", PACKAGE], folder);
  const problem = fetch();
  if (problem === undefined) return;
  if (process.getuid?.() !== 0) throw new Error(problem);
  const again = command("apt-get", ["update"], folder) ?? fetch();
  if (again !== undefined) throw new Error(again);
}

/** Runs a command; gives why it failed, if it did. */
function command(program: string, args: readonly string[], cwd: string): string | undefined {
  const { status, error, stderr } = spawnSync(program, args, { cwd, encoding: "utf8" });
  if (error !== undefined) return `${program}: ${error.message}`;
  return status === 0 ? undefined : `${program} ${args.join(" ")} ended with ${status}: ${stderr.trim()}`;
}
