import { systemClock } from "../../../shared/clock.ts";
import { jobId } from "../../../shared/ids.ts";
import type { JobView } from "../../../shared/protocol/api.ts";
import { followLogs } from "../../api/follow.ts";
import { connectTo } from "../remote.ts";
import { printable, summarize } from "../summary.ts";

export interface RemoteOptions {
  readonly on: string;
  readonly token?: string | undefined;
  readonly dataDir: string;
  readonly json?: boolean;
}

/** `kindling jobs`: all jobs of a coordinator, newest first. */
export async function jobs(options: RemoteOptions): Promise<void> {
  const { jobs: list } = await (await connectTo(options)).overview();
  if (options.json) {
    process.stdout.write(`${JSON.stringify(list)}\n`);
    return;
  }
  if (list.length === 0) process.stdout.write("No jobs yet: start one with `kindling run WORKLOAD --on URL`\n");
  for (const job of list) {
    const when = new Date(job.createdAt).toISOString().slice(0, 19).replace("T", " ");
    process.stdout.write(
      `${job.id}  ${job.state.padEnd(9)}  ${when}  ${job.seconds.toFixed(1).padStart(8)} s  ${job.workload}\n`,
    );
  }
}

/** `kindling status JOB`: its stages, shares and result. */
export async function status(id: string, options: RemoteOptions): Promise<void> {
  const job = await (await connectTo(options)).job(jobId(id));
  process.stdout.write(options.json ? `${JSON.stringify(job)}\n` : `${describe(job)}\n`);
}

/** `kindling logs JOB [-f]`. */
export async function logs(id: string, options: RemoteOptions & { readonly follow?: boolean }): Promise<void> {
  const client = await connectTo(options);
  const job = jobId(id);
  const lines = options.follow ? followLogs(client, job, systemClock) : await client.logs(job);
  for await (const { at, level, message } of lines) {
    process.stdout.write(`${new Date(at).toISOString()} ${level.padEnd(5)} ${message}\n`);
  }
}

/** `kindling cancel JOB`. */
export async function cancel(id: string, options: RemoteOptions): Promise<void> {
  await (await connectTo(options)).cancel(jobId(id));
  process.stdout.write(`${id} cancelled\n`);
}

function describe(job: JobView): string {
  const lines = [`${job.id}  ${job.workload}  ${job.state}  ${job.seconds.toFixed(1)} s`];
  if (job.error) lines.push(`  ${job.error.code}: ${job.error.message}`);
  for (const { label, kind, done, tasks, retries, seconds, reason } of job.stages) {
    const again = retries > 0 ? `, ${retries} retried` : "";
    lines.push(`  ${label} (${kind}): ${done}/${tasks} tasks${again}, ${seconds.toFixed(2)} s  ${reason}`);
  }
  for (const { name, tasks } of job.shares) lines.push(`  ${name}: ${tasks} tasks`);
  if (job.state === "succeeded") lines.push(printable(summarize(job, "fabric", () => null)));
  return lines.join("\n");
}
