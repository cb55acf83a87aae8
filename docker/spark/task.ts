/**
 * The task process: one beside each Python worker of Spark, for as long as that lives. Takes a task from standard input, runs its
 * kernel, writes the outputs to standard output; one at a time, in frames of opaque bytes. Bundled into one file for Node 20.
 */
import { Console } from "node:console";
import { readSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { openFile } from "../../client/worker/node-files.ts";
import { openLocalFile, type ReadableSource, S3, Spool } from "../../coordinator/driving.ts";
import { systemClock } from "../../shared/clock.ts";
import { KindlingError, toWireError } from "../../shared/errors.ts";
import { SUMMARY_BYTES, type StageSpec } from "../../shared/protocol/messages.ts";
import { decodeValue, encodeValue } from "../../shared/protocol/value-codec.ts";
import type { OpenSource } from "../../shared/runtime/environment.ts";
import { TaskRuntime } from "../../shared/runtime/task-runtime.ts";
import type { Workload } from "../../shared/sdk/workload.ts";
import type { Value } from "../../shared/value.ts";
import { encodeFrame, type Frame, frameReader } from "./frames.ts";
import { type RemoteSpec, remoteSource } from "./remote-source.ts";
import { INLINE_BYTES, type TaskMeta } from "./task-result.ts";

const STDIN = 0;
const STDOUT = 1;
/** ms between two looks whether the Python worker is still there. */
const LOOK_EVERY = 1000;

/** What a stage's tasks have in common, as the driver has written it. */
type SparkStage = Omit<StageSpec, "broadcast" | "deadline"> & {
  readonly inputs: "values" | "outputs" | "buckets";
  readonly broadcastKey: string | null;
  readonly memoryBytes: number;
};
interface Task {
  readonly stage: SparkStage;
  readonly partition: number;
}

/** Kernels that write to the console must not write into the frames. */
globalThis.console = new Console(process.stderr, process.stderr);
endWithParent();

let memoryBytes = 0;
const runtime = new TaskRuntime(
  {
    backends: ["wasm", "js"],
    get memoryBytes() {
      return memoryBytes;
    },
    summaryBytes: SUMMARY_BYTES,
    open: (_job, source, expected): OpenSource => {
      if (source.path !== undefined) return openFile(source.path, source);
      return remoteSource(source, openedRemote(source), expected);
    },
    allocate: (bytes) => new Uint8Array(bytes),
  },
  systemClock,
);
/** Standard input has the frames. */
const noStandardInput = (async function* (): AsyncIterable<Uint8Array> {})();
/** Sources that are no files, by location. */
const remote = new Map<string, Promise<ReadableSource>>();
const openRemote = openLocalFile(new Spool(join(tmpdir(), `kindling-task-${process.pid}`)), noStandardInput, new S3());
const workloads = new Map<string, Workload>();
/** The last one, decoded: a stage's tasks have the same. */
let broadcast: { readonly key: string; readonly value: Value } = { key: "", value: undefined };

for (let frame = read(); frame !== null; frame = read()) await serve(frame);

async function serve({ header, blobs }: Frame): Promise<void> {
  try {
    const { stage, partition } = header as Task;
    memoryBytes = stage.memoryBytes;
    const workload = await workloadOf(stage.bundle);
    const { outputs, ...outcome } = await runtime.run(workload, {
      stage: { ...stage, broadcast: null, deadline: 0 },
      partition,
      input: inputOf(stage, blobs),
      broadcast: broadcastOf(`${stage.job}/${stage.broadcastKey}`, stage.broadcastKey),
      signal: new AbortController().signal,
    });
    const encoded = outputs.map((output) => encodeOutput(output, stage.task));
    write({ type: "result", ok: true, units: outcome.units }, [metaOf(outcome, stage, encoded), ...encoded]);
  } catch (error) {
    write({ type: "result", ok: false, error: toWireError(error) });
  }
}

function metaOf(
  { summary, backend, reason, units, runMs }: Omit<TaskMeta, "bytes" | "inline">,
  { buckets }: SparkStage,
  outputs: readonly Uint8Array[],
): Uint8Array {
  const [only] = outputs;
  const meta: TaskMeta = {
    ...{ summary, backend, reason, units, runMs },
    ...(buckets === 1 && only !== undefined ? { bytes: only.byteLength } : {}),
    ...(buckets === 1 && only !== undefined && only.byteLength <= INLINE_BYTES ? { inline: only } : {}),
  };
  return encodeValue(meta);
}

function encodeOutput(output: Value, task: string): Uint8Array {
  try {
    return encodeValue(output);
  } catch (cause) {
    throw new KindlingError("BadOutput", `The output of task "${task}" is no plain data: ${String(cause)}`, { cause });
  }
}

function inputOf({ inputs }: SparkStage, blobs: readonly Uint8Array[]): Value {
  if (inputs === "buckets") return blobs.map(decodeValue);
  const [only] = blobs;
  if (only === undefined) throw new KindlingError("BadInputs", "Spark has lost a task's input", { retryable: true });
  return decodeValue(only);
}

async function workloadOf(bundle: string): Promise<Workload> {
  const known = workloads.get(bundle);
  if (known !== undefined) return known;
  const [code = new Uint8Array(0)] = ask("need-bundle").blobs;
  const url = `data:text/javascript;base64,${Buffer.from(code).toString("base64")}`;
  const module = (await import(url).catch((cause: unknown) => {
    const { message } = toWireError(cause);
    throw new KindlingError("BundleFailed", `Bundle ${bundle.slice(0, 12)} cannot be loaded: ${message}`, { cause });
  })) as { readonly default?: Workload };
  if (typeof module.default?.tasks !== "object") {
    throw new KindlingError("BundleFailed", `Bundle ${bundle.slice(0, 12)} has no workload as its default export`);
  }
  workloads.set(bundle, module.default);
  return module.default;
}

function broadcastOf(name: string, key: string | null): Value {
  if (key === null) return undefined;
  if (broadcast.key !== name) {
    const [encoded = new Uint8Array(0)] = ask("need-broadcast").blobs;
    broadcast = { key: name, value: decodeValue(encoded) };
  }
  return broadcast.value;
}

/** Opened once in this process. */
function openedRemote({ location = "" }: RemoteSpec): Promise<ReadableSource> {
  const opening = remote.get(location) ?? openRemote(location);
  remote.set(location, opening);
  opening.catch(() => remote.delete(location));
  return opening;
}

/** Asks the Python worker for something in the middle of a task. */
function ask(type: "need-bundle" | "need-broadcast"): Frame {
  write({ type });
  const reply = read();
  if (reply === null) process.exit(1);
  return reply;
}

/** Blocks: there is nothing else to do. */
function read(): Frame | null {
  const reader = frameReader();
  let step = reader.next(null);
  while (step.done !== true) step = reader.next(take(step.value));
  return step.value;
}

function take(count: number): Uint8Array | null {
  const bytes = new Uint8Array(count);
  for (let filled = 0; filled < count; ) {
    const got = patiently(() => readSync(STDIN, bytes, filled, count - filled, null));
    if (got === 0 && filled === 0) return null;
    if (got === 0) process.exit(1);
    filled += got;
  }
  return bytes;
}

function write(header: object, blobs: readonly Uint8Array[] = []): void {
  for (const part of encodeFrame(header, blobs)) {
    for (let at = 0; at < part.byteLength; ) at += patiently(() => writeSync(STDOUT, part, at));
  }
}

/** A kernel that has touched a standard stream has made its pipe one that does not wait. */
function patiently(transfer: () => number): number {
  for (;;) {
    try {
      return transfer();
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EOF") return 0;
      if (code === "EPIPE") process.exit(1);
      if (code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

/** Ends this process when Spark has killed the Python worker, also in the middle of a kernel, for which nobody waits then. */
function endWithParent(): void {
  const watch = `const parent = ${process.ppid};
    setInterval(() => process.ppid === parent || process.kill(process.pid, "SIGKILL"), ${LOOK_EVERY});`;
  new Worker(watch, { eval: true, env: {} }).unref();
}
