import type { Need } from "./model.ts";

/** Those of `needs` that a workload's help does not speak of; each option has a line of its own there. */
export function missingNeeds(help: string, needs: readonly Need[]): string[] {
  const lines = help.split("\n").map((line) => line.trim());
  return needs
    .filter(({ flag, word }) => {
      const line = lines.find((candidate) => candidate.split(" ")[0] === flag);
      return line === undefined || (word !== undefined && !line.split(/[\s|,;]+/).includes(word));
    })
    .map(({ flag, word }) => (word === undefined ? flag : `${flag} ${word}`));
}
