import type { Clock } from "../../shared/clock.ts";
import type { LogLine } from "../../shared/protocol/api.ts";
import type { ApiClient } from "./client.ts";

/** ms between two looks. */
const POLL_MS = 500;

/** A job's log lines as they come, until the job has ended. */
export async function* followLogs(
  client: Pick<ApiClient, "job" | "logs">,
  id: string,
  clock: Clock,
): AsyncGenerator<LogLine> {
  for (let after = 0; ; ) {
    // The state first: lines written before it was final are then among those read.
    const { state } = await client.job(id);
    for (const line of await client.logs(id, after)) {
      after = line.sequence;
      yield line;
    }
    if (state !== "running") return;
    await new Promise<void>((resolve) => clock.after(POLL_MS, resolve));
  }
}
