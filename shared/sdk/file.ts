import * as z from "zod";

/**
 * A parameter that names an input file. On the command line it belongs to the caller: `run` reads it in place or, for
 * a remote coordinator, uploads it. A driver gives its value to `job.source`.
 */
export const file = (): z.ZodString => z.string().min(1).meta({ kindling: "file" });

/** Whether a parameter's schema, under any optional or default, is a `file()`. */
export function isFileSchema(schema: z.core.$ZodType): boolean {
  let inner = schema;
  while (inner instanceof z.ZodOptional || inner instanceof z.ZodDefault || inner instanceof z.ZodNullable) {
    inner = inner.unwrap();
  }
  return z.globalRegistry.get(inner)?.["kindling"] === "file";
}
