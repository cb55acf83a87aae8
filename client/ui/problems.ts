const codeOf = (error: unknown): unknown =>
  typeof error === "object" && error !== null ? (error as { code?: unknown }).code : undefined;

/** Whether the coordinator refuses the token: asking again with it is useless. */
export const isUnauthorized = (error: unknown): boolean => codeOf(error) === "Unauthorized";

/** An error as a sentence for the user. */
export function problemText(error: unknown): string {
  // The client's own words for it are advice for a command line.
  if (codeOf(error) === "NoCoordinator") return "The coordinator does not answer.";
  return error instanceof Error && error.message !== "" ? error.message : "Something failed without saying why.";
}

/** The sentence for a poll that failed and will be tried again. */
export const retryText = (error: unknown, retryMs: number): string =>
  `${problemText(error).replace(/[.\s]+$/, "")}. Trying again in ${Math.round(retryMs / 1000)} s.`;
