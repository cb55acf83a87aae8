import { KindlingError } from "../../shared/errors.ts";

/** An EMR release, `emr-MAJOR.MINOR.PATCH`. */
export interface Release {
  readonly label: string;
  readonly major: number;
  readonly minor: number;
}

/** The newest release for which AWS documents Spark in Docker containers. */
const DEFAULT_RELEASE = "emr-6.15.0";

/** Reads `emr-6.15.0` or `6.15.0`. Throws `BadUsage`. */
export function parseRelease(text = DEFAULT_RELEASE): Release {
  const [, major, minor, patch] = /^(?:emr-)?(\d{1,2})\.(\d{1,3})\.(\d{1,3})$/.exec(text) ?? [];
  if (major === undefined || minor === undefined || patch === undefined) {
    throw new KindlingError(
      "BadUsage",
      `--release takes a label such as ${DEFAULT_RELEASE}, not ${JSON.stringify(text)}`,
    );
  }
  return { label: `emr-${major}.${minor}.${patch}`, major: Number(major), minor: Number(minor) };
}

export const isAtLeast = ({ major, minor }: Release, [least, lesser]: readonly [number, number]): boolean =>
  major > least || (major === least && minor >= lesser);
