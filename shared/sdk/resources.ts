import * as z from "zod";

/** A parameter for how many workers there are, to cut a job by. `kindling run` on the executor `local` gives its slots, unless it is given. */
export const workers = (): z.ZodNumber => z.number().int().positive().max(1e4).meta({ kindling: "workers" });

/** A parameter for the bytes of memory that a task may use. With `--memory`, `kindling run` gives each worker's share, unless it is given. */
export const taskMemory = (): z.ZodNumber =>
  z
    .number()
    .int()
    .min(2 ** 22)
    .meta({ kindling: "taskMemory" });
