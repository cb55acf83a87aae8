import { randomBytes } from "node:crypto";
import { open, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { KindlingError } from "../shared/errors.ts";

const FILE = "tokens.json";
const tokens = z.object({ operator: z.string().min(22), join: z.string().min(22) });

/** What opens the coordinator: the operator's token everything, the join token a place as a node. 256 bits each. */
export type Tokens = z.infer<typeof tokens>;

/** The tokens of a data directory, or null where there are none yet. Rejects with `BadTokens` where they cannot be read. */
export async function readTokens(dataDir: string): Promise<Tokens | null> {
  const path = join(dataDir, FILE);
  try {
    return tokens.parse(JSON.parse(await readFile(path, "utf8")));
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return null;
    const why = code === "EACCES" ? "may not be read by this user" : "is damaged: delete it, and new links are made";
    throw new KindlingError("BadTokens", `${path} ${why}`, { cause });
  }
}

/** Reads a data directory's tokens, or makes them: links stay valid when the coordinator starts again. */
export async function ensureTokens(dataDir: string): Promise<Tokens> {
  const known = await readTokens(dataDir);
  if (known) return known;
  const made = { operator: randomBytes(32).toString("base64url"), join: randomBytes(32).toString("base64url") };
  const beside = join(dataDir, `${FILE}.new`);
  const handle = await open(beside, "w", 0o600);
  try {
    await handle.writeFile(JSON.stringify(made));
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(beside, join(dataDir, FILE));
  return made;
}
