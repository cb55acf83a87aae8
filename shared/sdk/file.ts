import * as z from "zod";

/**
 * A parameter that names an input file. On the command line it belongs to the caller: `run` reads it in place or, for
 * a remote coordinator, uploads it. A driver gives its value to `job.source`.
 */
export const file = (): z.ZodString => z.string().min(1).meta({ kindling: "file" });

/**
 * A parameter that names one input file or several. `run` takes it as often as wanted, and patterns such as `data/*.csv`; an API call
 * gives a name or an array of them. A driver gives each to `job.source`.
 */
export const files = (): z.ZodUnion<readonly [z.ZodString, z.ZodArray<z.ZodString>]> =>
  z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]).meta({ kindling: "file", multiple: true });

/** Whether a parameter's schema, under any optional or default, is a `file()` or `files()`. */
export function isFileSchema(schema: z.core.$ZodType): boolean {
  let inner = schema;
  while (inner instanceof z.ZodOptional || inner instanceof z.ZodDefault || inner instanceof z.ZodNullable) {
    inner = inner.unwrap();
  }
  return z.globalRegistry.get(inner)?.["kindling"] === "file";
}
