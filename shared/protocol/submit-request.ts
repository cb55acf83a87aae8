import * as z from "zod";
import { SHUFFLE_MODES } from "./shuffle.ts";

/** `POST /api/jobs`: a built-in workload by name, or any bundle that was uploaded before, by hash. */
export const submitRequest = z.object({
  workload: z.string().min(1).max(64),
  bundle: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
  params: z.record(z.string().max(64), z.unknown()).default({}),
  shuffle: z.enum(SHUFFLE_MODES).optional(),
});
export type SubmitRequest = z.infer<typeof submitRequest>;
