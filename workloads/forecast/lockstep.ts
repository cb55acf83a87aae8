import type { Job } from "kindling";

interface Call {
  readonly start: () => Promise<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * Runs several drivers on one job, side by side: the n-th calls of all of them are made together, in the order of `inputs`, once
 * every driver has come to its n-th call or to its end. So the calls' order, which a replay relies on, follows from
 * the drivers alone and not from which stage ended first; and the stages of a round share the nodes.
 */
export async function lockstep<I, O>(
  job: Job,
  inputs: readonly I[],
  drive: (job: Job, input: I) => Promise<O>,
): Promise<O[]> {
  const waiting = new Map<number, Call>();
  let running = inputs.length;
  const startRound = (): void => {
    if (running === 0 || waiting.size < running) return;
    const calls = [...waiting].sort(([a], [b]) => a - b).map(([, call]) => call);
    waiting.clear();
    // All calls of a round are made before any of them answers, and none answers before all are done.
    const answers = calls.map(({ start }) => start());
    void Promise.allSettled(answers).then((settled) => {
      settled.forEach((outcome, at) => {
        const call = calls[at] as Call;
        if (outcome.status === "fulfilled") call.resolve(outcome.value);
        else call.reject(outcome.reason);
      });
    });
  };
  const inRound = <T>(driver: number, start: () => Promise<T>): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      waiting.set(driver, { start, resolve: resolve as (value: unknown) => void, reject });
      startRound();
    });
  const outcomes = await Promise.allSettled(
    inputs.map(async (input, driver) => {
      try {
        return await drive(
          roundJob(job, (start) => inRound(driver, start)),
          input,
        );
      } finally {
        running--;
        startRound();
      }
    }),
  );
  return outcomes.map((outcome) => {
    if (outcome.status === "rejected") throw outcome.reason;
    return outcome.value;
  });
}

/** A job whose calls wait for their round. */
const roundJob = (job: Job, inRound: <T>(start: () => Promise<T>) => Promise<T>): Job => ({
  source: (file) => inRound(() => job.source(file)),
  broadcast: (value) => inRound(() => job.broadcast(value)),
  map: (task, inputs, options) => inRound(() => job.map(task, inputs, options)),
  shuffle: (task, inputs, options) => inRound(() => job.shuffle(task, inputs, options)),
  reduce: (task, dataset, options) => inRound(() => job.reduce(task, dataset, options)),
  fetch: (dataset, partition) => inRound(() => job.fetch(dataset, partition)),
  once: (compute) => inRound(() => job.once(compute)),
  collect: (files, metrics) => inRound(() => job.collect(files, metrics)),
});
