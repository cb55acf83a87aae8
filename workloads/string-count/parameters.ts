import { BACKEND_CHOICES, files, taskMemory, workers, z } from "kindling";
import { parseAlphabet, type TupleSpec } from "./tuples.ts";

const UINT32_MAX = 0xffffffff;

/** Parameters of generated tuples. */
export const tupleParameters = z.object({
  tuples: z.number().int().positive().max(1e13).default(1e8).meta({ description: "generated tuples" }),
  keyLength: z.number().int().positive().max(1000).default(3).meta({ description: "letters in a generated key" }),
  alphabet: z
    .string()
    .refine(
      (text) => parseAlphabet(text) !== undefined,
      "give printable ASCII letters and ascending ranges, as in A-Za-z_",
    )
    .default("A-Z")
    .meta({ description: "letters of generated keys" }),
  maxValue: z
    .number()
    .int()
    .positive()
    .max(UINT32_MAX)
    .default(10)
    .meta({ description: "generated values are 1 to this" }),
  seed: z.number().int().min(0).max(UINT32_MAX).default(1).meta({ description: "unsigned 32-bit seed" }),
});

export const parameters = tupleParameters.extend({
  input: files()
    .optional()
    .meta({
      description: "count these files instead of generated tuples",
      excludes: Object.keys(tupleParameters.shape),
    }),
  format: z
    .enum(["csv", "parquet"])
    .optional()
    .meta({ description: "the input's format (default: by its name)", needs: "input" }),
  key: z
    .string()
    .min(1)
    .optional()
    .meta({ description: "key column's name, or number without a header (key, or 1)", needs: "input" }),
  value: z
    .string()
    .min(1)
    .optional()
    .meta({ description: "value column's name or number (value, or 2)", needs: "input" }),
  header: z.boolean().default(true).meta({ description: "the input's first row names its columns", needs: "input" }),
  delimiter: z
    .string()
    .refine(
      (text) => delimiterByte(text) !== undefined,
      "give one printable ASCII character, not a quote, or \\t for a tab",
    )
    .default(",")
    .meta({ description: "what separates the input's fields", needs: "input" }),
  output: z.enum(["csv", "parquet"]).default("csv").meta({ description: "the result file's format" }),
  onBadRow: z.enum(["fail", "skip"]).default("fail").meta({ description: "what a bad row does", needs: "input" }),
  partitions: z
    .number()
    .int()
    .positive()
    .max(1e6)
    .optional()
    .meta({ description: "tasks that count (default: by size)" }),
  taskMemory: taskMemory()
    .optional()
    .meta({ description: "bytes of memory that a task may use: more and smaller tasks (default: --memory's share)" }),
  workers: workers()
    .optional()
    .meta({ description: "workers that will count: fewer and larger tasks for few of them (default: --slots)" }),
  backend: z.enum(BACKEND_CHOICES).default("auto").meta({ description: "which kernel runs" }),
  top: z
    .number()
    .int()
    .min(0)
    .max(10_000)
    .default(10)
    .meta({ description: "how many keys with the greatest sums to report" }),
});

/** The byte that a `--delimiter` stands for; undefined if it stands for none. */
export function delimiterByte(text: string): number | undefined {
  const character = text === "\\t" ? "\t" : text;
  return /^[\t\x20-\x7e]$/.test(character) && character !== '"' ? character.charCodeAt(0) : undefined;
}

export type Parameters = z.output<typeof parameters>;

export function tupleSpec(params: z.output<typeof tupleParameters>): TupleSpec {
  const { seed, keyLength, maxValue } = params;
  return { seed, keyLength, maxValue, alphabet: parseAlphabet(params.alphabet) ?? new Uint8Array() };
}
