import type { JobView } from "../../shared/protocol/api.ts";
import { formatPercent, formatRate } from "../ui/format.ts";

const REFRESH_MS = 200;
/** ms between lines where standard error is not a terminal. */
const LINE_MS = 2000;

/** One line on how a job goes: the stage under way, its tasks, its throughput. */
export function progressLine(job: JobView): string {
  const time = `${job.seconds.toFixed(1)} s`;
  if (job.stages.length === 0) return `${job.workload}: starting`;
  // The first: a later one may wait for outputs of it that were lost and are made again.
  const stage = job.stages.find(({ done, tasks }) => done < tasks);
  if (!stage) return `${job.workload}: collecting results, ${time}`;
  const share = formatPercent(stage.done / stage.tasks);
  const rate = stage.unitsPerSecond > 0 ? `, ${formatRate(stage.unitsPerSecond, job.unit)}` : "";
  const retries = stage.retries > 0 ? `, ${stage.retries} retried` : "";
  return `${job.workload}: ${stage.label} ${stage.done}/${stage.tasks} tasks (${share})${rate}${retries}, ${time}`;
}

/** Shows a job's progress on standard error until it is stopped: one line that changes, or lines now and then. */
export function showProgress(view: () => JobView | undefined, stream: NodeJS.WriteStream = process.stderr): () => void {
  let last = "";
  const show = (): void => {
    const job = view();
    if (!job) return;
    const line = progressLine(job);
    if (line === last) return;
    last = line;
    // A line that wraps could not be replaced.
    stream.write(stream.isTTY ? `\r\x1b[K${line.slice(0, Math.max(20, stream.columns - 1))}` : `${line}\n`);
  };
  const timer = setInterval(show, stream.isTTY ? REFRESH_MS : LINE_MS);
  timer.unref();
  return () => {
    clearInterval(timer);
    if (stream.isTTY && last !== "") stream.write("\r\x1b[K");
  };
}
