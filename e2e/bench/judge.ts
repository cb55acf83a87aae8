import type { Bar, Outcome } from "./model.ts";
import { average } from "./stats.ts";

export interface Judgement {
  readonly label: string;
  /** The contender, and the one it was compared with. */
  readonly of: string;
  readonly over: string | null;
  /** The ratio or figure; null if it could not be had. */
  readonly value: number | null;
  readonly bound: string;
  readonly verdict: "met" | "missed" | "not measured";
  /** Why it was not measured. */
  readonly reason?: string;
}

/** Holds what was measured against one bar. */
export function judge(bar: Bar, outcomes: readonly Outcome[]): Judgement {
  const { label, of, over } = bar;
  const open = (reason: string): Judgement => ({
    ...{ label, of, over: null, value: null, bound: boundText(bar) },
    ...{ verdict: "not measured", reason },
  });
  const own = valueOf(bar, of, outcomes);
  if (typeof own === "string") return open(own);
  if (over === undefined) return conclude(bar, own, null);
  const rivals = over.map((name) => ({ name, value: valueOf(bar, name, outcomes) }));
  const best = rivals
    .flatMap(({ name, value }) => (typeof value === "number" ? [{ name, value }] : []))
    .sort((a, b) => a.value - b.value)[0];
  if (best === undefined) return open(rivals.map(({ value }) => value).join("; "));
  return conclude(bar, own / best.value, best.name);
}

function conclude(bar: Bar, value: number, over: string | null): Judgement {
  const met = value <= (bar.most ?? Number.POSITIVE_INFINITY) && value >= (bar.least ?? Number.NEGATIVE_INFINITY);
  return { label: bar.label, of: bar.of, over, value, bound: boundText(bar), verdict: met ? "met" : "missed" };
}

/** A contender's figure, or why there is none. */
function valueOf(bar: Bar, contender: string, outcomes: readonly Outcome[]): number | string {
  const outcome = outcomes.find((candidate) => candidate.contender === contender);
  if (outcome === undefined) return `${contender} did not run`;
  if (outcome.failure !== undefined) return `${contender}: ${outcome.failure}`;
  const figure = bar.figure ?? "seconds";
  const value = average(outcome.figures[figure] ?? [], bar.average ?? "median");
  return Number.isNaN(value) ? `${contender} gave no ${figure}` : value;
}

function boundText({ most, least }: Bar): string {
  if (least === undefined) return most === undefined ? "" : `≤ ${short(most)}`;
  return most === undefined ? `≥ ${short(least)}` : `${short(least)} … ${short(most)}`;
}

/** Four significant digits; large numbers in millions. */
export function short(value: number): string {
  return value >= 1e6 ? `${Number((value / 1e6).toPrecision(4))}M` : String(Number(value.toPrecision(4)));
}
