import type { Clock } from "../../shared/clock.ts";
import { KindlingError } from "../../shared/errors.ts";
import type { JobView } from "../../shared/protocol/api.ts";
import type { ApiClient } from "../api/client.ts";

/** ms between two looks. */
const POLL_MS = 200;
/** ms for which a coordinator may be gone: a job goes on when it starts again. */
const PATIENCE_MS = 60_000;

export interface FollowOptions {
  readonly clock: Clock;
  /** Cancels the job. */
  readonly signal: AbortSignal;
  /** Takes each view of the job that runs. */
  readonly seen: (job: JobView) => void;
  /** Takes a line for people. */
  readonly warn: (line: string) => void;
}

/** Asks for a job until it has ended. Rejects with `Cancelled` after `signal`, and when the coordinator stays away for too long. */
export async function followJob(
  client: Pick<ApiClient, "job" | "cancel">,
  id: string,
  { clock, signal, seen, warn }: FollowOptions,
): Promise<JobView> {
  let goneSince: number | null = null;
  for (;;) {
    if (signal.aborted) await cancel(client, id);
    try {
      const job = await client.job(id);
      goneSince = null;
      if (job.state !== "running") return job;
      seen(job);
    } catch (error) {
      if (!(error instanceof KindlingError) || !error.retryable) throw error;
      if (goneSince === null) warn(`${error.message}; trying again for ${PATIENCE_MS / 1000} s`);
      goneSince ??= clock.now();
      if (clock.now() - goneSince >= PATIENCE_MS) throw error;
    }
    await pause(clock, signal);
  }
}

async function cancel(client: Pick<ApiClient, "cancel">, id: string): Promise<void> {
  try {
    await client.cancel(id);
  } catch (error) {
    // It has ended already: then it is as if the signal had come later.
    if (error instanceof KindlingError && error.code === "Conflict") return;
    throw new KindlingError(
      "Cancelled",
      `Interrupted, but ${id} could not be cancelled and may go on: ${String(error)}`,
    );
  }
  throw new KindlingError("Cancelled", `${id} was cancelled`);
}

function pause(clock: Clock, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const cancelTimer = clock.after(POLL_MS, () => {
      signal.removeEventListener("abort", interrupted);
      resolve();
    });
    const interrupted = (): void => {
      cancelTimer();
      resolve();
    };
    signal.addEventListener("abort", interrupted, { once: true });
  });
}
