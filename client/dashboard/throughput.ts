/** Throughput of the last minutes as the page saw it, for the sparklines. */

/** Width of one sample, ms; polls within it keep the highest, so that a job of a second leaves a mark. */
const SAMPLE_MS = 1_000;
/** How far back samples go, ms. */
export const WINDOW_MS = 3 * 60_000;
/** The least that a line spans, ms: a page just opened does not draw its first seconds as a cliff. */
const LEAST_SPAN_MS = 30_000;

export interface Sample {
  /** Start of the sample, a multiple of SAMPLE_MS on the monotonic clock. */
  readonly at: number;
  /** Work per second, by unit. */
  readonly rates: Readonly<Record<string, number>>;
}

/** The history with what was seen at `now` (monotonic ms). */
export function record(
  history: readonly Sample[],
  now: number,
  rates: Readonly<Record<string, number>>,
): readonly Sample[] {
  const at = Math.floor(now / SAMPLE_MS) * SAMPLE_MS;
  const recent = history.filter((sample) => sample.at > at - WINDOW_MS);
  const last = recent.at(-1);
  if (last?.at !== at) return [...recent, { at, rates }];
  const highest = { ...last.rates };
  for (const [unit, rate] of Object.entries(rates)) highest[unit] = Math.max(rate, highest[unit] ?? 0);
  return [...recent.slice(0, -1), { at, rates: highest }];
}

export interface Series {
  readonly unit: string;
  readonly now: number;
  readonly peak: number;
  /** How much time the points span, ms. */
  readonly span: number;
  /** Points in the unit square: x from `span` ago (0) to now (1), y the rate as a part of the peak. */
  readonly points: readonly (readonly [x: number, y: number])[];
}

/** One series for each unit that was worked on within the window, the busiest first. */
export function seriesOf(history: readonly Sample[], present: Readonly<Record<string, number>>): readonly Series[] {
  const end = history.at(-1)?.at ?? 0;
  const span = Math.min(WINDOW_MS, Math.max(LEAST_SPAN_MS, end - (history[0]?.at ?? end)));
  const units = new Set(history.flatMap(({ rates }) => Object.keys(rates)));
  const all = [...units].map((unit): Series => {
    const peak = Math.max(...history.map(({ rates }) => rates[unit] ?? 0));
    const points = history.map(
      ({ at, rates }) => [1 - (end - at) / span, peak > 0 ? (rates[unit] ?? 0) / peak : 0] as const,
    );
    return { unit, now: present[unit] ?? 0, peak, span, points };
  });
  return all.filter(({ peak }) => peak > 0).sort((a, b) => b.now - a.now || (a.unit < b.unit ? -1 : 1));
}
