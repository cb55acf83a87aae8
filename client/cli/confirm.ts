import { createInterface } from "node:readline/promises";
import { KindlingError } from "../../shared/errors.ts";

/**
 * Says what will be started and asks for leave. Rejects with `Cancelled` where it is not given, and with `BadUsage` where nobody can be
 * asked: a script says `--yes`.
 */
export async function confirm(plan: string, yes: boolean): Promise<void> {
  process.stderr.write(`${plan}\n`);
  if (yes) return;
  if (!process.stdin.isTTY) {
    throw new KindlingError("BadUsage", "nobody can be asked here (no terminal): add --yes to go ahead");
  }
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await asking.question("Go ahead? [y/N] ");
    if (!/^y(es)?$/i.test(answer.trim())) throw new KindlingError("Cancelled", "nothing was started");
  } finally {
    asking.close();
  }
}
