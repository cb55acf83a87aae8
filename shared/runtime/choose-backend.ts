import type { Clock } from "../clock.ts";
import { KindlingError, toWireError } from "../errors.ts";
import type { Backend, BackendChoice } from "../sdk/task.ts";
import type { AnyTask } from "../sdk/workload.ts";

export interface ChosenBackend {
  readonly backend: Backend;
  /** In words: "auto: wasm 12 ms, js 80 ms on the probe". At most 256 characters. */
  readonly reason: string;
}

/** The order in which `auto` tries them, and takes one where it cannot measure. */
const PREFERENCE = ["wasm", "webgpu", "webgl", "js"] as const satisfies readonly Backend[];
const MAX_REASON = 256;

/** The exact backends that a task has and this environment can run. */
function candidates(task: AnyTask, available: readonly Backend[]): Backend[] {
  return PREFERENCE.filter(
    (backend) => task[backend] !== undefined && available.includes(backend) && !(task.inexact ?? []).includes(backend),
  );
}

/**
 * What the user asked for, or the fastest exact backend on the task's probe. `runProbe` runs the probe's input once on a
 * backend; a backend whose probe fails is out. A task without the kernel asked for runs its reference. Throws
 * `BackendUnavailable` where this environment cannot run it (retryable: another node may).
 */
export async function chooseBackend(
  name: string,
  task: AnyTask,
  choice: BackendChoice,
  available: readonly Backend[],
  clock: Clock,
  runProbe: (backend: Backend) => Promise<unknown>,
): Promise<ChosenBackend> {
  if (choice !== "auto") {
    if (task[choice] === undefined) {
      return { backend: "js", reason: `js, since the task has no ${choice} kernel` };
    }
    if (!available.includes(choice)) {
      throw new KindlingError("BackendUnavailable", `This node cannot run ${choice}, which task "${name}" asks for`, {
        retryable: true,
      });
    }
    return { backend: choice, reason: `${choice} was asked for` };
  }
  const possible = candidates(task, available);
  if (task.probe === undefined || possible.length < 2) {
    const backend = possible.includes("wasm") ? "wasm" : "js";
    return {
      backend,
      reason: possible.length < 2 ? `auto: ${backend} alone` : `auto: ${backend}, no probe to measure`,
    };
  }
  const timings: { readonly backend: Backend; readonly ms: number }[] = [];
  const notes: string[] = [];
  for (const backend of possible) {
    const start = clock.now();
    try {
      await runProbe(backend);
      const ms = clock.now() - start;
      timings.push({ backend, ms });
      notes.push(`${backend} ${ms < 10 ? ms.toFixed(1) : ms.toFixed(0)} ms`);
    } catch (error) {
      notes.push(`${backend} failed (${toWireError(error).message.slice(0, 60)})`);
    }
  }
  const fastest = timings.reduce<(typeof timings)[number]>(
    (best, timing) => (timing.ms < best.ms ? timing : best),
    timings[0] ?? { backend: "js", ms: 0 },
  );
  return { backend: fastest.backend, reason: `auto: ${notes.join(", ")} on the probe`.slice(0, MAX_REASON) };
}
