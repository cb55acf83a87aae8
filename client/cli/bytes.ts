import { KindlingError } from "../../shared/errors.ts";

const UNITS: Readonly<Record<string, number>> = { "": 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };

/** `512M`, `1.5GB`, `1048576` in bytes (powers of 1024). Throws `BadUsage` naming the option. */
export function parseBytes(text: string, flag: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?$/i.exec(text.trim());
  const bytes = match ? Math.floor(Number(match[1]) * (UNITS[(match[2] ?? "").toUpperCase()] ?? 1)) : 0;
  if (bytes < 1 || !Number.isSafeInteger(bytes))
    throw new KindlingError("BadUsage", `--${flag} takes a size such as 512M or 2G, not ${JSON.stringify(text)}`);
  return bytes;
}
