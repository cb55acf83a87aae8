import type { Clock } from "../clock.ts";
import { KindlingError, toWireError } from "../errors.ts";
import type { Backend, BackendChoice, ProbeSize } from "../sdk/task.ts";
import type { AnyTask } from "../sdk/workload.ts";

export interface ChosenBackend {
  readonly backend: Backend;
  /** In words: "auto: wasm 0.3 ms, js 8.0 ms on the probe". At most 256 characters. */
  readonly reason: string;
  /** There are GPU kernels that were not measured. */
  readonly provisional?: boolean;
}

const CPU = ["wasm", "js"] as const satisfies readonly Backend[];
const GPU = ["webgpu", "webgl"] as const satisfies readonly Backend[];
/** Of the CPU's usual kernel on the small probe, as long as it loses. */
const TRIES = 5;
/** Characters. */
export const MAX_REASON = 256;

/** The CPU's kernel that runs where nothing was measured, and where a GPU hands a task back. */
export const cpuBackend = (task: AnyTask, available: readonly Backend[]): Backend =>
  CPU.find((backend) => task[backend] !== undefined && available.includes(backend)) ?? "js";

/**
 * What the user asked for, or the fastest exact backend on the task's probe. `runProbe` runs the probe of that size once on a
 * backend; a backend whose probe fails is out. Without `triesGpu` only the CPU's kernels are measured. A task without the kernel asked for runs on the CPU. Throws
 * `BackendUnavailable` where this environment cannot run it (retryable: another node may).
 */
export async function chooseBackend(
  name: string,
  task: AnyTask,
  choice: BackendChoice,
  available: readonly Backend[],
  clock: Clock,
  triesGpu: boolean,
  runProbe: (backend: Backend, size: ProbeSize) => Promise<unknown>,
): Promise<ChosenBackend> {
  const usual = cpuBackend(task, available);
  if (choice !== "auto") {
    if (task[choice] === undefined) {
      return { backend: usual, reason: `${usual}, since the task has no ${choice} kernel` };
    }
    if (!available.includes(choice)) {
      throw new KindlingError("BackendUnavailable", `This node cannot run ${choice}, which task "${name}" asks for`, {
        retryable: true,
      });
    }
    return { backend: choice, reason: `${choice} was asked for` };
  }
  const isCandidate = (backend: Backend): boolean =>
    task[backend] !== undefined && available.includes(backend) && !(task.inexact ?? []).includes(backend);
  const cpu = CPU.filter(isCandidate);
  const gpu = GPU.filter(isCandidate);
  if (cpu.length + gpu.length < 2) return { backend: usual, reason: `auto: ${usual} alone` };
  if (task.probe === undefined) return { backend: usual, reason: `auto: ${usual}, no probe to measure` };
  const measure = (backend: Backend, size: ProbeSize) => time(clock, backend, size, () => runProbe(backend, size));
  const { backend, reason } = await fastest(cpu, triesGpu ? gpu : [], measure);
  if (triesGpu || gpu.length === 0) return { backend, reason: `auto: ${reason}`.slice(0, MAX_REASON) };
  const told = `auto: ${reason}; too little work so far to try ${gpu.join(" or ")}`;
  return { backend, reason: told.slice(0, MAX_REASON), provisional: true };
}

interface Timing {
  readonly backend: Backend;
  /** Infinite if it failed. */
  readonly ms: number;
  readonly note: string;
}

/**
 * The CPU's kernels meet on the small probe; the faster one and the GPU's meet on the large one, since a GPU has a fixed
 * price for every call. A GPU that needs longer for the small probe than the CPU for the large one has lost.
 */
async function fastest(
  cpu: readonly Backend[],
  gpu: readonly Backend[],
  measure: (backend: Backend, size: ProbeSize) => Promise<Timing>,
): Promise<ChosenBackend> {
  const small: Timing[] = [];
  for (const backend of cpu) small.push(await measure(backend, "small"));
  const [usual] = cpu;
  // A thread that had to wait in the middle of so short a run has measured its machine: the usual kernel gets more tries.
  for (let tries = 1; usual !== undefined && quickest(small) !== usual && tries < TRIES; tries++) {
    small[0] = quicker(small[0] as Timing, await measure(usual, "small"));
  }
  const best = quickest(small);
  const reason = `${notes(small)} on the probe`;
  if (gpu.length === 0) return { backend: best, reason };
  const large = [await measure(best, "large")];
  const limit = large[0]?.ms ?? 0;
  for (const backend of gpu) {
    const first = await measure(backend, "small");
    const lost = { ...first, ms: Number.POSITIVE_INFINITY, note: `${first.note} for the small one` };
    large.push(first.ms < limit ? await measure(backend, "large") : lost);
  }
  return { backend: quickest(large), reason: `${reason}; ${notes(large)} on a large one` };
}

/**
 * Of small probes the second of two runs counts, since the first one compiles; of `js` the only one, since its compiler goes along
 * with it and a short job should not wait for the slowest twice. Before a large one all is compiled.
 */
async function time(clock: Clock, backend: Backend, size: ProbeSize, run: () => Promise<unknown>): Promise<Timing> {
  try {
    if (size === "small" && backend !== "js") await run();
    const start = clock.now();
    await run();
    const ms = clock.now() - start;
    return { backend, ms, note: `${backend} ${ms < 10 ? ms.toFixed(1) : ms.toFixed(0)} ms` };
  } catch (error) {
    const note = `${backend} failed (${toWireError(error).message.slice(0, 60)})`;
    return { backend, ms: Number.POSITIVE_INFINITY, note };
  }
}

const quicker = (best: Timing, timing: Timing): Timing => (timing.ms < best.ms ? timing : best);

/** The first where none is quicker, or all have failed. */
const quickest = (timings: readonly Timing[]): Backend => timings.reduce(quicker).backend;

const notes = (timings: readonly Timing[]): string => timings.map(({ note }) => note).join(", ");
