import * as z from "zod";
import { KindlingError } from "../../shared/errors.ts";
import type { AnyTask, Workload } from "../../shared/sdk/workload.ts";

/** Imports a bundle's code and gives its workload. Rejects with `BadWorkload` where its default export is none. */
export async function loadWorkload(code: Uint8Array, origin: string): Promise<Workload> {
  const url = `data:text/javascript;base64,${Buffer.from(code).toString("base64")}`;
  const module = (await import(url).catch((cause: unknown) => {
    throw new KindlingError("BadWorkload", `${origin} cannot be loaded: ${String(cause)}`, { cause });
  })) as { default?: unknown };
  if (!isWorkload(module.default)) {
    throw new KindlingError(
      "BadWorkload",
      `${origin} has no workload as its default export: export default defineWorkload({ … })`,
    );
  }
  const { name, tasks } = module.default;
  for (const [task, { js }] of Object.entries(tasks)) {
    if (typeof js !== "function") {
      throw new KindlingError("BadWorkload", `${origin}: task ${task} of ${name} has no kernel \`js\``);
    }
  }
  return module.default;
}

function isWorkload(thing: unknown): thing is Workload {
  if (typeof thing !== "object" || thing === null) return false;
  const { name, params, tasks, drive } = thing as Record<string, unknown>;
  return (
    typeof name === "string" &&
    typeof drive === "function" &&
    typeof (params as { safeParse?: unknown } | undefined)?.safeParse === "function" &&
    typeof tasks === "object" &&
    tasks !== null
  );
}

/** Parameters with their defaults. Throws `BadParams`, naming each wrong one, also those that the workload does not have. */
export const parseParams = (workload: Workload, given: unknown): unknown =>
  checkParams(workload.name, workload.params, given);

/**
 * As `parseParams`, of a schema that stands for itself. `owner` is whose parameters they are, `called` what their user calls
 * one: the command line knows `keyLength` as `--key-length`.
 */
export function checkParams<S extends z.ZodType>(
  owner: string,
  schema: S,
  given: unknown,
  called: (param: string) => string = (param) => param,
): z.output<S> {
  const shape = (schema as unknown as Partial<z.ZodObject>).shape;
  if (shape && typeof given === "object" && given !== null) {
    const unknown = Object.keys(given).filter((key) => !Object.hasOwn(shape, key));
    if (unknown.length > 0) {
      const known = Object.keys(shape).join(", ");
      throw new KindlingError("BadParams", `${owner} has no parameter ${unknown.join(", ")}; it has ${known}`);
    }
    const present = Object.entries(given).flatMap(([param, value]) => (value === undefined ? [] : [param]));
    checkTogether(owner, shape, present, called);
  }
  const parsed = schema.safeParse(given, { reportInput: true });
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => describe(issue, called));
  throw new KindlingError("BadParams", `${owner}: ${problems.join("; ")}`);
}

/** Refuses a parameter that means nothing beside another one, or without it, where its schema says so: `.meta({ excludes: […], needs: … })`. */
function checkTogether(
  owner: string,
  shape: z.ZodObject["shape"],
  given: readonly string[],
  called: (param: string) => string,
): void {
  for (const param of given) {
    const { excludes = [], needs } = (z.globalRegistry.get(shape[param] as z.ZodType) ?? {}) as {
      readonly excludes?: readonly string[];
      readonly needs?: string;
    };
    if (needs !== undefined && !given.includes(needs)) {
      throw new KindlingError("BadParams", `${owner}: ${called(param)} means nothing without ${called(needs)}`);
    }
    const idle = excludes.find((other) => given.includes(other));
    if (idle === undefined) continue;
    throw new KindlingError(
      "BadParams",
      `${owner}: ${called(idle)} means nothing beside ${called(param)}: leave one of them out`,
    );
  }
}

/** What is wrong with a parameter, in the words of its user. The schema's own message stays where it says more. */
function describe(issue: z.core.$ZodIssue, called: (param: string) => string): string {
  const [param, ...inside] = issue.path.map(String);
  const name = param === undefined ? "parameters" : [called(param), ...inside].join(".");
  const { input } = issue;
  if (issue.code === "invalid_type" && input === undefined) return `${name} is required`;
  if (issue.code === "invalid_type" && issue.expected === "int")
    return `${name} takes a whole number, not ${String(input)}`;
  if (input === "" && issue.code === "too_small") return `${name} must not be empty`;
  if (typeof input === "number" && issue.code === "too_small") {
    return `${name} must be ${issue.inclusive === false ? "more than" : "at least"} ${String(issue.minimum)}, not ${String(input)}`;
  }
  if (typeof input === "number" && issue.code === "too_big") {
    return `${name} must be ${issue.inclusive === false ? "less than" : "at most"} ${String(issue.maximum)}, not ${String(input)}`;
  }
  return `${name}: ${issue.message}`;
}

/** The name under which a bundle's workload lists a task: how every node finds it. */
export function taskName(workload: Workload, task: AnyTask): string {
  for (const [name, candidate] of Object.entries(workload.tasks)) {
    if (candidate === task) return name;
  }
  throw new KindlingError("BadWorkload", `${workload.name} drives a task that is not among its \`tasks\``);
}
