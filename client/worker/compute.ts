import { type Remote, transfer, wrap } from "comlink";
import { systemClock } from "../../shared/clock.ts";
import { KindlingError, toWireError } from "../../shared/errors.ts";
import { sha256Hex } from "../../shared/hash.ts";
import { type AttemptId, blobHash, type BlobHash, type JobId } from "../../shared/ids.ts";
import type { ChunkRef, SourceSpec } from "../../shared/protocol/messages.ts";
import { decodeValue, encodeValue } from "../../shared/protocol/value-codec.ts";
import type { OpenSource, RuntimeEnvironment } from "../../shared/runtime/environment.ts";
import { TaskRuntime } from "../../shared/runtime/task-runtime.ts";
import type { UseGpu, UseWebGl } from "../../shared/sdk/gpu.ts";
import type { Backend } from "../../shared/sdk/task.ts";
import type { Workload } from "../../shared/sdk/workload.ts";
import type { Value } from "../../shared/value.ts";
import type { Payload } from "../node/data-plane.ts";
import { Relief } from "../node/relief.ts";
import type {
  ComputeHost,
  ComputeWorker,
  OutputForm,
  ProducedChunk,
  RunReply,
  RunRequest,
  WorkerConfig,
  WorkInput,
} from "./compute-protocol.ts";
import { readAhead, type SourceAccess } from "./read-ahead.ts";
import { buffersOf, estimateBytes, freeBytes, memoryOf, ownBytes, shareArrays } from "./share.ts";

/** What differs between a worker thread of Node and a Web Worker. */
export interface ComputePlatform {
  /** Evaluates a bundle's code as an ES module. */
  importBundle(code: Uint8Array): Promise<unknown>;
  /** Reads a file of this machine in place; absent where there are none. */
  openFile?(path: string, source: SourceSpec): OpenSource;
  /** Frees unused memory of this thread at once; absent where there is no way to. */
  collect?(): void;
  /** Backends that work here, tried out. */
  probeBackends(): Promise<readonly Backend[]>;
  /** Absent where there are none. */
  readonly webgpu?: UseGpu;
  readonly webgl?: UseWebGl;
}

/** ms between two progress reports of one attempt. */
const PROGRESS_EVERY = 100;
/** Decoded broadcast values that a worker keeps. */
const BROADCASTS_KEPT = 2;

export function createComputeWorker(platform: ComputePlatform): ComputeWorker {
  let tasks: WorkerTasks | undefined;
  return {
    async init(host, config) {
      const backends = await platform.probeBackends();
      tasks = new WorkerTasks(platform, wrap<ComputeHost>(host), config, backends);
      return backends;
    },
    async run(request) {
      if (tasks === undefined) throw new Error("A compute worker was used before its init");
      return tasks.run(request);
    },
    load: async (bundle) => tasks?.load(bundle),
    abort(attempt) {
      tasks?.abort(attempt);
    },
  };
}

class WorkerTasks {
  readonly #platform: ComputePlatform;
  readonly #host: Remote<ComputeHost>;
  readonly #outputs: OutputForm;
  readonly #runtime: TaskRuntime;
  /** An imported module cannot be unloaded, so there is nothing to gain from forgetting it. */
  readonly #bundles = new Map<BlobHash, Promise<Workload>>();
  readonly #broadcasts = new Map<string, Promise<Value>>();
  readonly #running = new Map<AttemptId, AbortController>();
  readonly #relief: Relief;

  constructor(
    platform: ComputePlatform,
    host: Remote<ComputeHost>,
    config: WorkerConfig,
    backends: readonly Backend[],
  ) {
    this.#platform = platform;
    this.#host = host;
    this.#outputs = config.outputs;
    const environment: RuntimeEnvironment = {
      backends,
      memoryBytes: config.memoryBytes,
      summaryBytes: config.summaryBytes,
      ...(platform.webgpu && { webgpu: platform.webgpu }),
      ...(platform.webgl && { webgl: platform.webgl }),
      open: (job, source, expected) => {
        const file = source.path === undefined ? undefined : platform.openFile?.(source.path, source);
        // What comes through ports leaves about as much behind as was read; of a file only where memory is short it is worth a collection.
        if (file === undefined || config.outputs === "moved") {
          this.#relief.passed(expected === undefined ? 0 : expected.end - expected.start);
        }
        if (file !== undefined) return file;
        return readAhead(source, this.#access(job, source), expected);
      },
      allocate: (bytes) =>
        new Uint8Array(config.outputs === "shared" ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes)),
      dropped: (bytes) => this.#relief.passed(bytes),
    };
    this.#runtime = new TaskRuntime(environment, systemClock);
    this.#relief = new Relief(config.memoryBytes / 8, () => platform.collect?.());
  }

  #access(job: JobId, source: SourceSpec): SourceAccess {
    return {
      read: (start, end) => this.#host.read(job, source, start, end),
      stream: (start, end) => {
        const { port1, port2 } = new MessageChannel();
        void this.#host.stream(job, source, start, end, transfer(port2, [port2]));
        return port1;
      },
    };
  }

  async run(request: RunRequest): Promise<RunReply> {
    const { attempt, stage, partition } = request;
    const controller = new AbortController();
    this.#running.set(attempt, controller);
    try {
      const workload = await this.#workload(stage.bundle);
      const broadcast = stage.broadcast === null ? undefined : await this.#broadcast(stage.broadcast);
      const { outputs, ...outcome } = await this.#runtime.run(workload, {
        stage,
        partition,
        input: inputValue(request.input),
        broadcast,
        signal: controller.signal,
        progress: this.#progressOf(attempt),
      });
      const chunks: ProducedChunk[] = [];
      for (const output of outputs) chunks.push(await this.#produce(output, stage.task));
      // An output may be the input, or have it in itself.
      const kept = new Set(chunks.flatMap(({ payload }) => ("value" in payload ? memoryOf(payload.value) : [])));
      this.#relief.passed(freeInput(request.input, kept));
      // Only moved outputs leave nothing behind.
      if (this.#outputs !== "moved") this.#relief.passed(chunks.reduce((total, { bytes }) => total + bytes, 0));
      return transfer(
        { ok: true, chunks, ...outcome },
        chunks.flatMap(({ payload }) => buffersOf(payload)),
      );
    } catch (error) {
      return { ok: false, error: toWireError(error) };
    } finally {
      this.#running.delete(attempt);
    }
  }

  async load(bundle: BlobHash): Promise<void> {
    try {
      await this.#runtime.compile(await this.#workload(bundle));
    } catch {
      // The bundle's first task meets the same fault and reports it.
    }
  }

  abort(attempt: AttemptId): void {
    this.#running.get(attempt)?.abort();
  }

  #workload(hash: BlobHash): Promise<Workload> {
    let workload = this.#bundles.get(hash);
    if (workload === undefined) {
      workload = this.#host.bundle(hash).then((code) => this.#import(hash, code));
      this.#bundles.set(hash, workload);
      workload.catch(() => this.#bundles.delete(hash));
    }
    return workload;
  }

  async #import(hash: BlobHash, code: Uint8Array): Promise<Workload> {
    const what = `Bundle ${hash.slice(0, 12)}`;
    let module: unknown;
    try {
      module = await this.#platform.importBundle(code);
    } catch (cause) {
      const { message } = toWireError(cause);
      throw new KindlingError("BundleFailed", `${what} cannot be loaded: ${message}`, { retryable: true, cause });
    }
    const workload = (module as { readonly default?: Workload }).default;
    if (typeof workload?.tasks !== "object") {
      throw new KindlingError("BundleFailed", `${what} has no workload as its default export`);
    }
    return workload;
  }

  #broadcast(ref: ChunkRef): Promise<Value> {
    const key = ref.hash ?? ref.key;
    const value = this.#broadcasts.get(key) ?? this.#host.broadcast(ref).then(valueOf);
    // Last in the map is the last used.
    this.#broadcasts.delete(key);
    this.#broadcasts.set(key, value);
    value.catch(() => this.#broadcasts.delete(key));
    for (const oldest of this.#broadcasts.keys()) {
      if (this.#broadcasts.size <= BROADCASTS_KEPT) break;
      this.#broadcasts.delete(oldest);
    }
    return value;
  }

  #progressOf(attempt: AttemptId): (units: number) => void {
    let told = systemClock.now();
    return (units) => {
      const now = systemClock.now();
      if (now - told < PROGRESS_EVERY) return;
      told = now;
      void this.#host.progress(attempt, units);
    };
  }

  async #produce(output: Value, task: string): Promise<ProducedChunk> {
    if (this.#outputs === "moved" && output instanceof Uint8Array) {
      const value = ownBytes(output);
      return { payload: { value }, bytes: value.byteLength, hash: null };
    }
    if (this.#outputs !== "encoded") {
      const value = shareArrays(output);
      return { payload: { value }, bytes: estimateBytes(value), hash: null };
    }
    let encoded: Uint8Array<ArrayBuffer>;
    try {
      encoded = encodeValue(output);
    } catch (cause) {
      throw new KindlingError("BadOutput", `The output of task "${task}" is no plain data: ${String(cause)}`, {
        cause,
      });
    }
    return { payload: { encoded }, bytes: encoded.byteLength, hash: blobHash(await sha256Hex(encoded)) };
  }
}

function inputValue(input: WorkInput): Value {
  switch (input.kind) {
    case "value":
      return input.value;
    case "chunk":
      return valueOf(input.chunk);
    case "chunks":
      return input.chunks.map(valueOf);
  }
}

/** Frees what the task has read, but for memory that is kept; gives how many bytes of it have to wait for a collection. */
function freeInput(input: WorkInput, kept: ReadonlySet<ArrayBufferLike>): number {
  if (input.kind === "value") return 0;
  const payloads = input.kind === "chunk" ? [input.chunk] : input.chunks;
  return payloads.reduce((left, payload) => {
    const value = "encoded" in payload ? payload.encoded : payload.value;
    const bytes = estimateBytes(value);
    return value instanceof Uint8Array && !kept.has(value.buffer) && freeBytes(value) ? left : left + bytes;
  }, 0);
}

const valueOf = (payload: Payload): Value => ("value" in payload ? payload.value : decodeValue(payload.encoded));
