import { KindlingError } from "../../shared/errors.ts";

/** An option's text as a whole number within limits. Throws `BadUsage` naming the option. */
export function wholeNumber(text: string, flag: string, least: number, most: number): number {
  const number = text.trim() === "" ? Number.NaN : Number(text);
  if (Number.isInteger(number) && number >= least && number <= most) return number;
  throw new KindlingError(
    "BadUsage",
    `--${flag} takes a whole number from ${least} to ${most}, not ${JSON.stringify(text)}`,
  );
}
