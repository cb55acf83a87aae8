import { expect, test } from "vitest";
import type { Clock } from "../clock.ts";
import { KindlingError } from "../errors.ts";
import { blobHash, jobId } from "../ids.ts";
import type { StageSpec } from "../protocol/messages.ts";
import type { Backend, Probe, ProbeSize } from "../sdk/task.ts";
import type { AnyTask, Workload } from "../sdk/workload.ts";
import type { Value } from "../value.ts";
import type { RuntimeEnvironment } from "./environment.ts";
import { type TaskOutcome, TaskRuntime } from "./task-runtime.ts";

/** Moves only when a kernel says that it worked. */
class WorkClock implements Clock {
  time = 0;
  now = (): number => this.time;
  after = (): (() => void) => () => {};
}

/** `bump` counts in a global, `boom` is unreachable, `fail` calls abort("hi", …, 3, 7). A section in each line. */
const COUNTER_WASM = Uint8Array.fromHex(
  [
    "0061736d01000000",
    "010f036000017f60000060047f7f7f7f00",
    "020d0103656e760561626f72740002",
    "030403000101",
    "0503010001",
    "0606017f0141000b",
    "071f040462756d70000104626f6f6d0002046661696c0003066d656d6f72790200",
    "0a1e030b00230041016a240023000b0300000b0c00410841004103410710000b",
    "0b0e010041040b080400000068006900",
  ].join(""),
);

interface Counter {
  bump(): number;
  boom(): void;
  fail(): void;
}
const counter = (exports: unknown): Counter => exports as Counter;

const clock = new WorkClock();
const job = jobId("job-1");

interface Options {
  readonly backends?: readonly Backend[];
  readonly stage?: Partial<StageSpec>;
  readonly input?: Value;
  readonly partition?: number;
}

function runtime(backends: readonly Backend[] = ["js", "wasm"]) {
  const opened: string[] = [];
  const environment: RuntimeEnvironment = {
    backends,
    memoryBytes: 1000,
    summaryBytes: 64,
    open: (_job, source, expected) => {
      opened.push(`open ${source.name} ${expected?.start ?? "?"}-${expected?.end ?? "?"}`);
      return {
        name: source.name,
        size: source.bytes,
        readInto: (target) => target.fill(9).byteLength,
        close: () => void opened.push(`close ${source.name}`),
      };
    },
    allocate: (bytes) => new Uint8Array(bytes),
  };
  const tasks = new TaskRuntime(environment, clock);
  const run = (task: AnyTask, { stage = {}, input = null, partition = 0 }: Options = {}): Promise<TaskOutcome> => {
    const workload = { name: "test", tasks: { task } } as unknown as Workload;
    const full: StageSpec = {
      job,
      ordinal: 0,
      kind: "map",
      bundle: blobHash("a".repeat(64)),
      task: "task",
      backend: "auto",
      buckets: 1,
      broadcast: null,
      sources: [{ ordinal: 4, name: "data.csv", bytes: 100 }],
      deadline: 1000,
      ...stage,
    };
    const { signal } = new AbortController();
    return tasks.run(workload, { stage: full, partition, input, broadcast: 5, signal });
  };
  return { run, opened, rest: () => tasks.rest() };
}

const timed = (ms: number, name: string) => (): string => {
  clock.time += ms;
  return name;
};

test("a kernel gets its context, and what it says comes out", async () => {
  const { run } = runtime();
  const outcome = await run(
    {
      js: (input: number, context) => {
        clock.time += 20;
        context.progress(2);
        context.progress(3);
        context.report({ partition: context.partition });
        return input + (context.broadcast as number) + context.allocate(7).byteLength;
      },
    },
    { input: 1, partition: 6 },
  );
  expect(outcome).toEqual({
    outputs: [13],
    summary: { partition: 6 },
    backend: "js",
    reason: "auto: js alone",
    units: 5,
    runMs: 20,
  });
});

const probe = (size: ProbeSize): Probe => ({ input: size });
/** A kernel that takes these ms for the small and the large probe. */
const probed = (name: string, small: number, large: number) => (input: Value) => {
  if (input === "small") clock.time += small;
  if (input === "large") clock.time += large;
  return name;
};

test("auto takes what was fastest on the probe, says why, and measures once", async () => {
  const { run } = runtime(["js", "wasm"]);
  let probes = 0;
  const task: AnyTask = {
    js: (input: string) => {
      probes++;
      return probed("js", 80, 0)(input);
    },
    wasm: { module: COUNTER_WASM, run: (_, input: string) => probed("wasm", 3, 0)(input) },
    probe,
  };
  const expected = { outputs: ["wasm"], reason: "auto: wasm 3.0 ms, js 80 ms on the probe" };
  expect(await run(task)).toMatchObject(expected);
  expect(await run(task)).toMatchObject(expected);
  expect(probes).toBe(1);
});

test("the usual kernel must lose every time, since a thread may have had to wait", async () => {
  const waits = [0, 20, 0, 20, 0, 20];
  const often: AnyTask = {
    js: probed("js", 10, 0),
    wasm: {
      module: COUNTER_WASM,
      run: (_, input: string) => probed("wasm", 3 + (input === "small" ? (waits.shift() ?? 0) : 0), 0)(input),
    },
    probe,
  };
  expect(await runtime(["js", "wasm"]).run(often)).toMatchObject({
    outputs: ["wasm"],
    reason: "auto: wasm 3.0 ms, js 10 ms on the probe",
  });
  const always: AnyTask = { ...often, js: probed("js", 1, 0) };
  expect(await runtime(["js", "wasm"]).run(always)).toMatchObject({
    outputs: ["js"],
    reason: "auto: wasm 3.0 ms, js 1.0 ms on the probe",
  });
});

test("the better of the CPU's kernels meets the GPU's on a large probe, once there was some work", async () => {
  const { run } = runtime(["js", "wasm", "webgpu", "webgl"]);
  const task: AnyTask = {
    js: probed("js", 80, 9999),
    wasm: {
      module: COUNTER_WASM,
      run: (_, input: string | null) => {
        clock.time += input === null ? 125 : 0;
        return probed("wasm", 3, 30)(input);
      },
    },
    webgpu: probed("webgpu", 10, 12.4),
    webgl: probed("webgl", 200, 1),
    probe,
  };
  for (const _ of [1, 2]) {
    expect(await run(task)).toMatchObject({
      outputs: ["wasm"],
      reason: "auto: wasm 3.0 ms, js 80 ms on the probe; too little work so far to try webgpu or webgl",
    });
  }
  expect(await run(task)).toMatchObject({
    outputs: ["webgpu"],
    reason:
      "auto: wasm 3.0 ms, js 80 ms on the probe; wasm 30 ms, webgpu 12 ms, webgl 200 ms for the small one on a large one",
  });
});

test("auto never takes what is inexact, absent or broken", async () => {
  const { run } = runtime(["js", "wasm", "webgl"]);
  const task: AnyTask = {
    js: timed(80, "js"),
    webgl: timed(1, "webgl"),
    webgpu: timed(1, "webgpu"),
    wasm: {
      module: COUNTER_WASM,
      run: () => {
        throw new Error("no memory");
      },
    },
    inexact: ["webgl"],
    probe,
  };
  expect(await run(task)).toMatchObject({
    outputs: ["js"],
    reason: "auto: wasm failed (Error: no memory), js 80 ms on the probe",
  });
});

const failing = (code: string) => () => {
  throw new KindlingError(code, "of no use", { retryable: code === "GpuFailed" });
};

test("a task that the GPU hands back runs on the CPU, and the outcome says so", async () => {
  const { run } = runtime(["js", "wasm", "webgpu"]);
  const task: AnyTask = {
    js: () => "js",
    wasm: { module: COUNTER_WASM, run: () => "wasm" },
    webgpu: failing("GpuUnsuited"),
  };
  expect(await run(task, { stage: { backend: "webgpu" } })).toMatchObject({
    outputs: ["wasm"],
    backend: "wasm",
    reason: "wasm, since webgpu handed it back: of no use",
  });
});

test("a GPU that fails is retried where it was asked for, and left alone where auto chose it", async () => {
  const { run } = runtime(["js", "webgpu"]);
  let calls = 0;
  const task: AnyTask = {
    js: (input: string | null) => {
      clock.time += input === null ? 300 : 0;
      return probed("js", 80, 80)(input);
    },
    webgpu: (input: string) => {
      if (input === "small" || input === "large") return "";
      calls++;
      return failing("GpuFailed")();
    },
    probe,
  };
  const asked = run(task, { stage: { backend: "webgpu" } });
  await expect(asked).rejects.toMatchObject({ code: "GpuFailed", retryable: true });
  expect((await run(task)).reason).toContain("too little work so far to try webgpu");
  for (const _ of [1, 2]) {
    expect(await run(task)).toMatchObject({ outputs: ["js"], reason: "js, since webgpu failed: of no use" });
  }
  expect(calls).toBe(2);
});

test("without a probe auto takes wasm, and a backend that was asked for is taken as it is", async () => {
  const { run } = runtime(["js", "wasm"]);
  const task: AnyTask = {
    js: timed(1, "js"),
    webgpu: timed(1, "webgpu"),
    wasm: { module: COUNTER_WASM, run: timed(1, "wasm") },
  };
  expect(await run(task)).toMatchObject({ backend: "wasm", reason: "auto: wasm, no probe to measure" });
  expect(await run(task, { stage: { backend: "js" } })).toMatchObject({ backend: "js", reason: "js was asked for" });
  expect(await run(task, { stage: { backend: "webgl" } })).toMatchObject({
    backend: "wasm",
    reason: "wasm, since the task has no webgl kernel",
  });
  await expect(run(task, { stage: { backend: "webgpu" } })).rejects.toMatchObject({
    code: "BackendUnavailable",
    retryable: true,
  });
});

test("a stage shares one instance, the next stage and the one after a trap or a rest get a new one", async () => {
  const { run, rest } = runtime();
  const task: AnyTask = {
    js: () => 0,
    wasm: {
      module: COUNTER_WASM,
      run: (exports, input: "bump" | "boom") => counter(exports)[input](),
    },
  };
  const bump = async (ordinal: number): Promise<unknown> =>
    (await run(task, { input: "bump", stage: { ordinal } })).outputs[0];
  expect([await bump(0), await bump(0), await bump(0)]).toEqual([1, 2, 3]);
  expect(await bump(1)).toBe(1);
  expect(await bump(1)).toBe(2);
  await expect(run(task, { input: "boom", stage: { ordinal: 1 } })).rejects.toMatchObject({
    code: "TaskCrashed",
    retryable: true,
    message: 'wasm kernel of task "task" failed on partition 0: RuntimeError: unreachable',
  });
  expect(await bump(1)).toBe(1);
  rest();
  expect(await bump(1)).toBe(1);
});

test("a kernel that finds no memory says so", async () => {
  const { run } = runtime();
  // (module (global (export "lacksMemory") (mut i32) (i32.const 0)) (func (export "take") (global.set 0 (i32.const 1)) unreachable))
  const module = Uint8Array.fromHex(
    [
      "0061736d01000000",
      "010401600000",
      "03020100",
      "0606017f0141000b",
      "0716020b6c61636b734d656d6f72790300",
      "0474616b650000",
      "0a0901070041012400000b",
    ].join(""),
  );
  const task: AnyTask = {
    js: () => 0,
    wasm: { module, run: ({ take }) => (take as () => number)() },
  };
  await expect(run(task)).rejects.toMatchObject({
    code: "TaskCrashed",
    retryable: true,
    message:
      'wasm kernel of task "task" failed on partition 0: it found no more memory: make smaller tasks, by more partitions',
  });
});

test("an AssemblyScript abort tells its message and place", async () => {
  const { run } = runtime();
  const task: AnyTask = {
    js: () => 0,
    wasm: { module: COUNTER_WASM, run: (exports) => counter(exports).fail() },
  };
  await expect(run(task)).rejects.toMatchObject({
    code: "TaskCrashed",
    message: 'wasm kernel of task "task" failed on partition 0: abort at 3:7: hi',
  });
});

test("an error with a code and a fate goes through as it is", async () => {
  const { run } = runtime();
  const foreign = Object.assign(new Error("data.csv, row 3: no date"), { code: "BadInput", retryable: false });
  const task: AnyTask = {
    js: () => {
      throw foreign;
    },
  };
  await expect(run(task)).rejects.toMatchObject({
    code: "BadInput",
    message: "data.csv, row 3: no date",
    retryable: false,
  });
});

test("a shuffle must return one output for each bucket", async () => {
  const { run } = runtime();
  const shuffle = { kind: "shuffle", buckets: 3 } as const;
  expect((await run({ js: () => [1, 2, 3] }, { stage: shuffle })).outputs).toEqual([1, 2, 3]);
  await expect(run({ js: () => [1, 2] }, { stage: shuffle, partition: 4 })).rejects.toMatchObject({
    code: "BadOutput",
    retryable: false,
    message: 'Task "task" returned 2 outputs for partition 4; a shuffle returns an array of 3',
  });
  await expect(run({ js: () => "abc" }, { stage: shuffle })).rejects.toMatchObject({ code: "BadOutput" });
});

test("a summary over the cap is refused", async () => {
  const { run } = runtime();
  const reporting = (bytes: number): AnyTask => ({ js: (_, context) => context.report(new Uint8Array(bytes)) });
  expect((await run(reporting(60))).summary).toEqual(new Uint8Array(60));
  await expect(run(reporting(100))).rejects.toMatchObject({ code: "SummaryTooLarge", retryable: false });
});

test("sources open with the range that the input names, and close whatever happens", async () => {
  const { run, opened } = runtime();
  const reading: AnyTask = {
    js: (_, context) => {
      context.open(4);
      throw new Error("later");
    },
  };
  await expect(run(reading, { input: { source: 4, start: 10, end: 20 } })).rejects.toThrow("later");
  await expect(run(reading, { input: { range: { source: 4, start: 1, end: 2 }, guess: 3 } })).rejects.toThrow("later");
  await expect(run(reading, { input: { source: 5, start: 1, end: 2 } })).rejects.toThrow("later");
  expect(opened).toEqual([
    "open data.csv 10-20",
    "close data.csv",
    "open data.csv 1-2",
    "close data.csv",
    "open data.csv ?-?",
    "close data.csv",
  ]);
  const further: AnyTask = { js: (_, context) => context.open(4, 25).size };
  await run(further, { input: { source: 4, start: 10, end: 20 } });
  await run(further);
  expect(opened.filter((line) => line.startsWith("open")).slice(3)).toEqual([
    "open data.csv 10-25",
    "open data.csv ?-?",
  ]);
  const elsewhere: AnyTask = { js: (_, context) => context.open(9).size };
  await expect(run(elsewhere)).rejects.toMatchObject({ code: "UnknownSource" });
});

test("an aborted task ends as aborted, whatever its kernel throws", async () => {
  const environment: RuntimeEnvironment = {
    backends: ["js"],
    memoryBytes: 1,
    summaryBytes: 1,
    open: () => {
      throw new Error("no sources");
    },
    allocate: (bytes) => new Uint8Array(bytes),
  };
  const controller = new AbortController();
  const stopping: AnyTask = {
    js: (_, { signal }) => {
      controller.abort();
      signal.throwIfAborted();
    },
  };
  const stage = { kind: "map", task: "task", backend: "auto", buckets: 1, sources: [] } as unknown as StageSpec;
  const workload = { name: "test", tasks: { task: stopping } } as unknown as Workload;
  const request = { stage, partition: 2, input: null, broadcast: null, signal: controller.signal };
  await expect(new TaskRuntime(environment, clock).run(workload, request)).rejects.toMatchObject({
    code: "Aborted",
    retryable: true,
  });
});
