import { defineTask, InputError } from "kindling";
import { type CleaningCount, cleanColumn } from "../data/cleaning.ts";
import { makeFeatures } from "../data/features.ts";
import { History } from "../data/history.ts";
import type { Query } from "../data/prepared.ts";
import { sortByDay } from "../data/series.ts";
import type { Table } from "../data/table.ts";
import type { LinearModel } from "../forest/linear.ts";
import type { TargetFrame } from "../forest/training-set.ts";
import type { Model, ModelHead } from "../model-file/head.ts";
import { readModel } from "../model-file/read-model.ts";
import { leafSumsTask } from "./leaf-sums.ts";
import { read, readAll } from "./read.ts";

export type ModelInput = { readonly source: number };

/** Reads a saved model. */
export const openModel = defineTask<ModelInput, Model>({
  async js({ source }, context) {
    const reader = context.open(source);
    return readModel(await readAll(reader), reader.name);
  },
});

/** What predicting needs: the rows, and how sums of leaves become predictions. */
export type Asked = {
  readonly target: string;
  readonly series: null;
  readonly header: true;
  readonly features: readonly string[];
  readonly training: TargetFrame;
  readonly linear?: LinearModel;
  readonly queries: { readonly input: Query };
};

export type AskInput = {
  /** Ordinals. */
  readonly input: number;
  readonly observed: number | null;
  readonly date: string;
};

export type AskSummary = {
  readonly rows: number;
  readonly counts: Readonly<Record<string, CleaningCount>>;
  readonly model: string;
  readonly trees: number;
  readonly trainedTo: string;
};

/** Reads rows to predict, cleaned and turned into features as the model's own were. */
export const askRows = defineTask<AskInput, Asked, Model, AskSummary>({
  async js({ input, observed, date }, context) {
    const { head } = context.broadcast;
    const { plan, target } = head;
    const table = await read(context, input, { date }, () => plan.same);
    const past = plan.past.length === 0 ? null : observed;
    if (plan.past.length > 0 && past === null) {
      throw new InputError(
        `the model looks at the past of ${plan.past.join(", ")}: give --observed FILE with the days before`,
      );
    }
    const counts: Record<string, CleaningCount> = {};
    const clean = (raw: Table, columns: readonly string[], isCounted: boolean): Table => {
      const cleaned = columns.map((column): [string, Float64Array] => {
        const given = raw.columns.get(column) ?? new Float64Array(raw.days.length).fill(Number.NaN);
        const { values, count } = cleanColumn(given, head.cleaning[column] ?? undefined);
        if (isCounted && Object.values(count).some((cells) => cells > 0)) counts[column] = count;
        return [column, values];
      });
      return { ...raw, columns: new Map(cleaned) };
    };
    const known =
      past === null ? null : clean(sortByDay(await read(context, past, { date }, () => plan.past)), plan.past, false);
    const histories = new Map(
      [...(known?.columns ?? [])].map(([column, values]) => [column, new History(known?.days ?? [], values)]),
    );
    const features = makeFeatures(clean(table, plan.same, true), plan, histories);
    if (features.names.join("\n") !== head.features.join("\n")) {
      throw new InputError("the model's features are made in another way than this program's: train it again");
    }
    const none = new Float64Array(table.days.length).fill(Number.NaN);
    context.report({
      rows: table.days.length,
      counts: Object.fromEntries(Object.entries(counts).slice(0, LISTED)),
      model: head.model,
      trees: head.trees,
      trainedTo: head.trained.to,
    });
    return {
      target,
      series: null,
      header: true,
      features: head.features,
      training: { base: head.base, scale: head.scale },
      ...(head.linear !== undefined && { linear: linearOf(head.linear) }),
      queries: {
        input: {
          dates: table.dates,
          features: features.values,
          truth: none,
          baselines: { persistence: none, seasonalMean: none },
        },
      },
    };
  },
});

/** Columns whose counts are reported: a summary is small. */
const LISTED = 30;

const linearOf = ({ intercept, coefficients, means }: NonNullable<ModelHead["linear"]>): LinearModel => ({
  intercept,
  coefficients: Float64Array.from(coefficients),
  means: Float64Array.from(means),
});

/** Sums the leaves of all trees of an opened model. */
export const sumModel = leafSumsTask<Pick<Model, "forest">>((forest) => ({ forest }));
