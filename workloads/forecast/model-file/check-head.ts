import { InputError, z } from "kindling";
import { FORMAT, type ModelHead, VERSION } from "./head.ts";

const count = z.int().min(1);
const names = z.array(z.string());
const numbers = z.array(z.number());

const schema: z.ZodType<ModelHead> = z
  .object({
    format: z.literal(FORMAT),
    version: z.literal(VERSION),
    model: z.enum(["rf", "et", "gbt"]),
    target: z.string(),
    features: names.min(1),
    plan: z.object({
      same: names,
      harmonics: z.int().min(0),
      horizon: count.nullable(),
      past: names,
      lags: z.array(count),
      windows: z.array(count),
    }),
    cleaning: z.record(z.string(), z.object({ low: z.number(), high: z.number() }).nullable()),
    trained: z.object({ rows: count, from: z.string(), to: z.string() }),
    options: z.object({
      seed: z.int().min(0),
      maxDepth: z.int().min(0).nullable(),
      minLeaf: count,
      maxFeatures: count,
      subsamplingRate: z.exactOptional(z.number().gt(0)),
      bootstrap: z.exactOptional(z.literal(false)),
      randomThresholds: z.exactOptional(z.literal(true)),
      minInfoGain: z.exactOptional(z.number()),
      maxBins: z.exactOptional(count),
      stepSize: z.exactOptional(z.number().gt(0)),
    }),
    base: z.number(),
    scale: z.number().gt(0),
    trees: count,
    models: z.exactOptional(count),
    linear: z.exactOptional(z.object({ intercept: z.number(), coefficients: numbers, means: numbers })),
  })
  .refine(({ plan, cleaning }) => [...plan.same, ...plan.past].every((column) => Object.hasOwn(cleaning, column)), {
    path: ["cleaning"],
    error: "there is not every column that is predicted from",
  })
  .refine(({ trees, models = trees }) => trees % models === 0, {
    path: ["models"],
    error: "they do not have as many trees each",
  })
  .refine(
    ({ features, linear }) =>
      linear === undefined || [linear.coefficients, linear.means].every((values) => values.length === features.length),
    { path: ["linear"], error: "there is not one number for each feature" },
  );

/** What a file says of its model, whose format has this version. Throws an InputError where it is none for this program, a RangeError where it is damaged. */
export function checkHead(head: Readonly<Record<string, unknown>>, expected: number, file: string): ModelHead {
  const { format, version } = head;
  if (format === "kindling-forest-series") {
    throw new InputError(`${file}: these are models of several series; predict needs the model of a single one`);
  }
  // As that library writes its regression forest.
  if (head["name"] === "RFRegression") {
    throw new InputError(
      `${file}: this is the model of --engine ml-random-forest, which is for that library to load; train with --engine kindling to predict from a saved model`,
    );
  }
  if (format !== FORMAT) {
    throw new InputError(
      `${file}: this is no model of forecast; give the file that \`kindling run forecast --model-out\` wrote`,
    );
  }
  if (typeof version === "number" && version !== expected) {
    throw new InputError(
      `${file}: the model has version ${version}, and this program reads version ${expected}; train it again`,
    );
  }
  const parsed = schema.safeParse({ ...head, ...(version === expected && { version: VERSION }) });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new RangeError(`${issue?.path.join(".")}: ${issue?.message}`);
}
