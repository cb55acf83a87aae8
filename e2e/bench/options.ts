import { parseArgs } from "node:util";

export const BENCHES = ["string-count", "forecast", "spark"] as const;
export type BenchName = (typeof BENCHES)[number];

export interface BenchOptions {
  readonly bench: BenchName;
  /** Names of the cases to run; null for all. */
  readonly cases: readonly string[] | null;
  /** Rounds that count. */
  readonly repeat: number;
  /** Share of the full size of generated inputs. */
  readonly scale: number;
  /** Whether result files stay under .bench/out. */
  readonly keep: boolean;
}

export const USAGE =
  "npm run bench -- string-count|forecast|spark [--cases NAME,NAME] [--repeat 5] [--scale 1] [--keep]\n" +
  "  --cases   only these, instead of all\n" +
  "  --repeat  rounds that count, after one to warm up; medians are of them\n" +
  "  --scale   share of the full size, e.g. 0.02\n" +
  "  --keep    leave the result files in .bench/out\n";

/** @throws Error saying what is wrong with the command line. */
export function parseOptions(argv: readonly string[]): BenchOptions {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      cases: { type: "string" },
      repeat: { type: "string", default: "5" },
      scale: { type: "string", default: "1" },
      keep: { type: "boolean", default: false },
    },
  });
  const bench = BENCHES.find((name) => name === positionals[0]);
  if (bench === undefined || positionals.length > 1) {
    throw new Error(`name one benchmark, ${BENCHES.join(", ")}, not ${positionals.join(" ") || "none"}`);
  }
  const repeat = Number(values.repeat);
  if (!Number.isInteger(repeat) || repeat < 1) throw new Error(`--repeat takes a whole number, not ${values.repeat}`);
  const scale = Number(values.scale);
  if (!(scale > 0 && scale <= 1)) throw new Error(`--scale takes a number above 0 and up to 1, not ${values.scale}`);
  const cases = values.cases === undefined ? null : values.cases.split(",").filter((name) => name !== "");
  return { bench, cases, repeat, scale, keep: values.keep };
}
