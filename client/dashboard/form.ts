import type { Value } from "../../shared/value.ts";
import { formatInteger } from "../ui/format.ts";

/**
 * A workload's parameters as a form: fields out of the JSON Schema, and parameters out of what was filled in. Only the part of
 * JSON Schema is read that parameters come as; anything else is typed as JSON.
 */

export type FieldKind =
  | { readonly kind: "number"; readonly whole: boolean; readonly min?: number; readonly max?: number }
  | { readonly kind: "text" }
  | { readonly kind: "choice"; readonly options: readonly string[] }
  | { readonly kind: "flag" }
  | { readonly kind: "file" }
  /** Text or a number: what reads as a number is sent as one. */
  | { readonly kind: "mixed" }
  | { readonly kind: "json" };

export interface Field {
  readonly name: string;
  readonly type: FieldKind;
  readonly description: string;
  readonly required: boolean;
  /** What stands in the field at first: the default as text, empty if there is none. */
  readonly initial: string;
}

/** What stands in the fields, by name. Flags are `true` or `false`. */
export type Answers = Readonly<Record<string, string>>;

type Schema = { readonly [key: string]: Value };

const isSchema = (value: Value | undefined): value is Schema =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);

/** The fields of a JSON Schema of an object, in its order. */
export function fieldsOf(schema: Value): readonly Field[] {
  const properties = isSchema(schema) ? schema["properties"] : undefined;
  if (!isSchema(schema) || !isSchema(properties)) return [];
  const required = Array.isArray(schema["required"]) ? schema["required"] : [];
  return Object.entries(properties).flatMap(([name, property]) => {
    if (!isSchema(property)) return [];
    const type = kindOf(property);
    return {
      name,
      type,
      description: typeof property["description"] === "string" ? property["description"] : "",
      required: required.includes(name) && property["default"] === undefined,
      initial: initialText(type, property["default"]),
    };
  });
}

function kindOf(property: Schema): FieldKind {
  if (property["kindling"] === "file") return { kind: "file" };
  const alternatives = property["anyOf"] ?? property["oneOf"];
  if (Array.isArray(alternatives)) return kindOfUnion(alternatives.filter(isSchema));
  const options = optionsOf(property);
  if (options !== null) return { kind: "choice", options };
  switch (typeName(property)) {
    case "integer":
      return { kind: "number", whole: true, ...bounds(property) };
    case "number":
      return { kind: "number", whole: false, ...bounds(property) };
    case "string":
      return { kind: "text" };
    case "boolean":
      return { kind: "flag" };
    default:
      return { kind: "json" };
  }
}

/** A type beside `null` counts as the type alone: an empty field stands for null. */
function typeName({ type }: Schema): string {
  const names = (Array.isArray(type) ? type : [type]).filter((name) => name !== "null");
  const [only] = names as readonly unknown[];
  return names.length === 1 && typeof only === "string" ? only : "any";
}

function optionsOf(property: Schema): readonly string[] | null {
  if (typeof property["const"] === "string") return [property["const"]];
  const options = property["enum"];
  return Array.isArray(options) && options.every((option) => typeof option === "string") ? options : null;
}

function kindOfUnion(all: readonly Schema[]): FieldKind {
  const kinds = all.filter(({ type }) => type !== "null").map(kindOf);
  const [only] = kinds;
  if (kinds.length === 1 && only) return only;
  const options = kinds.flatMap((kind) => (kind.kind === "choice" ? kind.options : []));
  if (kinds.every(({ kind }) => kind === "choice")) return { kind: "choice", options };
  const simple = kinds.every(({ kind }) => kind === "choice" || kind === "text" || kind === "number");
  return simple ? { kind: "mixed" } : { kind: "json" };
}

function bounds(property: Schema): { min?: number; max?: number } {
  const whole = typeName(property) === "integer";
  const bound = (inclusive: string, exclusive: string, step: number): number | undefined => {
    const past = property[exclusive];
    if (typeof past === "number" && whole) return past + step;
    const limit = property[inclusive];
    // The limits of exact integers say nothing to a user.
    return typeof limit === "number" && Math.abs(limit) < Number.MAX_SAFE_INTEGER ? limit : undefined;
  };
  const min = bound("minimum", "exclusiveMinimum", 1);
  const max = bound("maximum", "exclusiveMaximum", -1);
  return { ...(min === undefined ? {} : { min }), ...(max === undefined ? {} : { max }) };
}

function initialText(type: FieldKind, value: Value): string {
  if (type.kind === "flag") return value === true ? "true" : "false";
  if (value === undefined || value === null) return "";
  if (type.kind === "number" && typeof value === "number" && value >= 10_000) return formatInteger(value);
  return type.kind === "json" ? JSON.stringify(value) : String(value);
}

export type Filled =
  | { readonly ok: true; readonly params: Record<string, Value> }
  /** What is wrong, by field. */
  | { readonly ok: false; readonly problems: Readonly<Record<string, string>> };

/** The parameters that differ from their defaults, or what is wrong with the answers. */
export function paramsOf(fields: readonly Field[], answers: Answers): Filled {
  const params: Record<string, Value> = {};
  const problems: Record<string, string> = {};
  for (const field of fields) {
    const text = (answers[field.name] ?? field.initial).trim();
    if (text === "" && field.required) problems[field.name] = "This one is needed.";
    if (text === "" || text === field.initial) continue;
    const read = readField(field.type, text);
    if ("problem" in read) problems[field.name] = read.problem;
    else params[field.name] = read.value;
  }
  return Object.keys(problems).length === 0 ? { ok: true, params } : { ok: false, problems };
}

type Read = { readonly value: Value } | { readonly problem: string };

function readField(type: FieldKind, text: string): Read {
  switch (type.kind) {
    case "number":
      return readNumber(text, type);
    case "flag":
      return { value: text === "true" };
    case "mixed":
      return { value: Number.isFinite(Number(text)) ? Number(text) : text };
    case "json":
      return readJson(text);
    case "text":
    case "choice":
    case "file":
      return { value: text };
  }
}

/** Takes `100,000,000`, `100 000 000`, `1_000` and `1e8` alike. */
function readNumber(text: string, { whole, min, max }: FieldKind & { kind: "number" }): Read {
  const number = Number(text.replace(/(?<=\d)[,_ ](?=\d{3})/g, ""));
  if (!Number.isFinite(number)) return { problem: "A number is needed here." };
  if (whole && !Number.isSafeInteger(number)) return { problem: "A whole number is needed here." };
  if (min !== undefined && number < min) return { problem: `It must be ${min} or more.` };
  if (max !== undefined && number > max) return { problem: `It must be ${max} or less.` };
  return { value: number };
}

function readJson(text: string): Read {
  try {
    return { value: JSON.parse(text) as Value };
  } catch {
    return { problem: "This is no valid JSON." };
  }
}
