import { parseArgs } from "node:util";
import { KindlingError } from "../../shared/errors.ts";
import type { Value } from "../../shared/value.ts";

/** The part of JSON Schema that workloads' parameters come as. */
interface Property {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Property[];
  readonly default?: unknown;
  readonly description?: string;
  readonly kindling?: string;
  /** The option may be given several times. */
  readonly multiple?: boolean;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
}

export interface SchemaOption {
  /** The parameter's name, and the option's: `keyLength`, `key-length`. */
  readonly param: string;
  readonly flag: string;
  readonly property: Property;
  readonly required: boolean;
}

export interface OwnOption {
  readonly type: "string" | "boolean";
  readonly help: string;
  readonly value?: string;
  /** It may be given several times: its value is a list. */
  readonly multiple?: true;
}

/** What the command line calls a parameter: `keyLength` is `--key-length`. */
export const flagOf = (param: string): string => `--${kebab(param)}`;

const kebab = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** A workload's parameters as command-line options. `schema` is the JSON Schema of an object. */
export function schemaOptions(schema: Value): SchemaOption[] {
  const { properties = {}, required = [] } = schema as unknown as {
    properties?: Record<string, Property>;
    required?: readonly string[];
  };
  return Object.entries(properties).map(([param, property]) => ({
    param,
    flag: kebab(param),
    property,
    required: required.includes(param),
  }));
}

/**
 * Splits a command line into the command's own options and a workload's parameters. Throws `BadUsage` naming the option that is
 * unknown, lacks its value or has a wrong one.
 */
export function parseOptions(
  argv: readonly string[],
  own: Readonly<Record<string, OwnOption>>,
  options: readonly SchemaOption[],
): { own: Record<string, string | boolean | string[]>; params: Record<string, Value> } {
  const clash = options.find(({ flag }) => flag in own);
  if (clash) {
    throw new KindlingError(
      "BadWorkload",
      `The workload's parameter ${clash.param} would hide the option --${clash.flag}: give it another name`,
    );
  }
  const config: Record<string, ParsedOption> = {};
  for (const { flag, property } of options) {
    config[flag] = {
      type: property.type === "boolean" ? "boolean" : "string",
      multiple: property.multiple === true,
    };
  }
  for (const [name, { type, multiple = false }] of Object.entries(own)) config[name] = { type, multiple };
  const values = parse(argv, config);
  const params: Record<string, Value> = {};
  for (const { param, flag, property } of options) {
    const given = values[flag];
    if (given === undefined) continue;
    if (Array.isArray(given)) params[param] = given.length === 1 ? (given[0] as string) : given;
    else params[param] = typeof given === "string" ? convert(given, flag, property) : given;
    delete values[flag];
  }
  return { own: values, params };
}

interface ParsedOption {
  type: "string" | "boolean";
  multiple?: boolean;
}

function parse(
  argv: readonly string[],
  options: Record<string, ParsedOption>,
): Record<string, string | boolean | string[]> {
  try {
    const { values } = parseArgs({
      args: unambiguous(argv, options),
      options,
      strict: true,
      allowPositionals: false,
      allowNegative: true,
    });
    return { ...values } as Record<string, string | boolean | string[]>;
  } catch (error) {
    // The first sentence names the option; the rest is advice for programmers.
    const message = error instanceof Error ? (error.message.split(". ")[0] ?? error.message) : String(error);
    throw new KindlingError("BadUsage", message);
  }
}

/** `--seed -5` as `--seed=-5`, which a number may be; and `-h` by its name. */
function unambiguous(argv: readonly string[], options: Record<string, ParsedOption>): string[] {
  const args: string[] = [];
  for (let index = 0; index < argv.length; index++) {
    const arg = argv[index] ?? "";
    const next = argv[index + 1];
    const takesValue = arg.startsWith("--") && options[arg.slice(2)]?.type === "string";
    if (takesValue && next !== undefined && /^-\.?\d/.test(next)) {
      args.push(`${arg}=${next}`);
      index++;
    } else {
      args.push(arg === "-h" ? "--help" : arg);
    }
  }
  return args;
}

function convert(text: string, flag: string, property: Property): Value {
  const types = (property.anyOf ?? [property]).map(({ type }) => type);
  const numeric = types.includes("integer") || types.includes("number");
  const number = text.trim() === "" ? Number.NaN : Number(text);
  if (numeric && Number.isFinite(number)) return number;
  if (numeric && !types.includes("string")) {
    throw new KindlingError("BadUsage", `--${flag} takes a number, not ${JSON.stringify(text)}`);
  }
  if (property.enum && !property.enum.includes(text)) {
    throw new KindlingError(
      "BadUsage",
      `--${flag} takes one of ${property.enum.join(", ")}, not ${JSON.stringify(text)}`,
    );
  }
  return text;
}

const fileWord = ({ multiple }: Property): string => (multiple === true ? "FILE|GLOB|URL|-" : "FILE");

/** Help lines for a workload's options. */
export function describeOptions(options: readonly SchemaOption[]): string {
  const rows = options.map(({ flag, property, required }) => {
    const kind =
      property.enum?.join("|") ??
      (property.kindling === "file" ? fileWord(property) : (property.type ?? "VALUE").toUpperCase());
    const notes = [
      property.description ?? "",
      required ? "required" : "",
      property.default === undefined ? "" : `default ${String(property.default)}`,
    ].filter(Boolean);
    const negative = property.default === true ? "[no-]" : "";
    return [property.type === "boolean" ? `--${negative}${flag}` : `--${flag} ${kind}`, notes.join("; ")] as const;
  });
  return aligned(rows);
}

/** Lines of help in two columns. */
export function aligned(rows: readonly (readonly [string, string])[]): string {
  const width = Math.min(36, Math.max(0, ...rows.map(([left]) => left.length)));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join("\n");
}
