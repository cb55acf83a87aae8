import { randomBytes } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";

const FILE = "tokens.json";
const tokens = z.object({ operator: z.string().min(22), join: z.string().min(22) });

/** What opens the coordinator: the operator's token everything, the join token a place as a node. 256 bits each. */
export type Tokens = z.infer<typeof tokens>;

/** The tokens of a data directory, or null where there are none yet. */
export async function readTokens(dataDir: string): Promise<Tokens | null> {
  const text = await readFile(join(dataDir, FILE), "utf8").catch(() => null);
  if (text === null) return null;
  return tokens.parse(JSON.parse(text));
}

/** Reads a data directory's tokens, or makes them: links stay valid when the coordinator starts again. */
export async function ensureTokens(dataDir: string): Promise<Tokens> {
  const known = await readTokens(dataDir);
  if (known) return known;
  const made = { operator: randomBytes(32).toString("base64url"), join: randomBytes(32).toString("base64url") };
  const beside = join(dataDir, `${FILE}.new`);
  await writeFile(beside, JSON.stringify(made), { mode: 0o600 });
  await rename(beside, join(dataDir, FILE));
  return made;
}
