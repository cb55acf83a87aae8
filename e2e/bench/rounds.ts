import type { Case, Contender, Outcome } from "./model.ts";

export interface CaseOutcome {
  readonly outcomes: readonly Outcome[];
  /** What contenders contradict each other in; empty if all is well. */
  readonly differences: readonly string[];
}

/**
 * Runs a case's contenders in turn, so that what disturbs the machine disturbs all: one round to warm up, then
 * `repeat` that count, or one alone where that does. A contender that fails is left out from then on, and so is its time.
 */
export async function runCase(
  { contenders, once = false }: Case,
  repeat: number,
  say: (line: string) => void,
): Promise<CaseOutcome> {
  const figures = new Map(contenders.map(({ name }) => [name, new Map<string, number[]>()]));
  const failures = new Map<string, string>();
  const differences: string[] = [];
  const attempt = async <T>(contender: Contender, work: () => Promise<T> | undefined): Promise<T | undefined> => {
    if (failures.has(contender.name)) return undefined;
    try {
      return await work();
    } catch (error) {
      const message = (error instanceof Error ? error.message : String(error)).trim();
      say(`  ${contender.name} failed: ${message}`);
      failures.set(contender.name, message);
      return undefined;
    }
  };
  try {
    for (const contender of contenders) await attempt(contender, () => contender.start?.());
    for (let round = once ? 1 : 0; round <= (once ? 1 : repeat); round++) {
      const facts: StatedFact[] = [];
      for (const contender of contenders) {
        const measured = await attempt(contender, () => contender.measure(round));
        if (measured === undefined) continue;
        for (const [fact, text] of Object.entries(measured.facts ?? {})) facts.push({ by: contender.name, fact, text });
        const seconds = measured.figures["seconds"];
        say(`  ${round === 0 ? "warm-up" : `round ${round}`}  ${contender.name}  ${seconds?.toFixed(3) ?? "–"} s`);
        if (round === 0) continue;
        for (const [name, value] of Object.entries(measured.figures)) {
          const rounds = figures.get(contender.name);
          rounds?.set(name, [...(rounds.get(name) ?? []), value]);
        }
      }
      differences.push(...contradictions(facts).map((text) => `round ${round}: ${text}`));
    }
  } finally {
    for (const contender of contenders) await contender.stop?.();
  }
  const outcomes = contenders.map(({ name }): Outcome => {
    const failure = failures.get(name);
    return {
      contender: name,
      figures: Object.fromEntries(figures.get(name) ?? []),
      ...(failure === undefined ? {} : { failure }),
    };
  });
  return { outcomes, differences };
}

export interface StatedFact {
  readonly by: string;
  readonly fact: string;
  readonly text: string;
}

/** The facts that were stated in more than one way, with who said what. */
export function contradictions(facts: readonly StatedFact[]): string[] {
  return [...Map.groupBy(facts, ({ fact }) => fact)]
    .filter(([, stated]) => new Set(stated.map(({ text }) => text)).size > 1)
    .map(([fact, stated]) => `${fact}: ${stated.map(({ by, text }) => `${by} has ${text}`).join("; ")}`);
}
