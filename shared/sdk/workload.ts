import type * as z from "zod";
import type { Job, JobResult } from "./job.ts";
import type { Task } from "./task.ts";

/** Any task, whatever its types: the runtime hands each kernel what the driver gave for it. */
// biome-ignore lint: the one place where tasks of different types stand together
export type AnyTask = Task<any, any, any, any>;

export interface Workload<P extends z.ZodType = z.ZodType> {
  readonly name: string;
  /** One line for `kindling run --help` and the dashboard. */
  readonly description?: string;
  readonly params: P;
  readonly tasks: Readonly<Record<string, AnyTask>>;
  /** What the unit of `context.progress` is called: "tuples", "trees". */
  readonly unit?: string;
  /**
   * Why a run with these parameters makes no artifact of this name (without its ending), where it is known before the run;
   * who asks for one is told at once, and not when all is computed.
   */
  lacks?(params: z.output<P>, artifact: string): string | undefined;
  drive(job: Job, params: z.output<P>): Promise<JobResult>;
}

/** Declares a workload; a module's default export. */
export const defineWorkload = <P extends z.ZodType>(workload: Workload<P>): Workload<P> => workload;
