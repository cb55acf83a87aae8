import { type Remote, transfer, wrap } from "comlink";
import { systemClock } from "../../shared/clock.ts";
import { KindlingError, toWireError } from "../../shared/errors.ts";
import { sha256Hex } from "../../shared/hash.ts";
import { type AttemptId, blobHash, type BlobHash } from "../../shared/ids.ts";
import type { ChunkRef, SourceSpec } from "../../shared/protocol/messages.ts";
import { decodeValue, encodeValue } from "../../shared/protocol/value-codec.ts";
import type { OpenSource, RuntimeEnvironment } from "../../shared/runtime/environment.ts";
import { TaskRuntime } from "../../shared/runtime/task-runtime.ts";
import type { UseGpu, UseWebGl } from "../../shared/sdk/gpu.ts";
import type { Backend } from "../../shared/sdk/task.ts";
import type { Workload } from "../../shared/sdk/workload.ts";
import type { Value } from "../../shared/value.ts";
import type { SourcePart } from "../node/connection.ts";
import type { DataPlane, Payload } from "../node/data-plane.ts";
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
import { readAhead } from "./read-ahead.ts";
import { OwnFetches } from "./own-fetches.ts";
import { buffersOf, estimateBytes, freeBytes, memoryOf, ownBytes, shareArrays } from "./share.ts";
import { piecesOfPort, piecesOfStream, type SourcePieces } from "./source-pieces.ts";

/** What differs between a worker thread of Node and a Web Worker. */
export interface ComputePlatform {
  /** Evaluates a bundle's code as an ES module. */
  importBundle(code: Uint8Array): Promise<unknown>;
  /** Reads a file of this machine in place; absent where there are none. */
  openFile?(path: string, source: SourceSpec): OpenSource;
  /** The way to a coordinator's bytes, for who has a node's secret. */
  dataPlane(url: string, secret: string): Pick<DataPlane, "read">;
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
    rest: () => tasks?.rest(),
    abort(attempt) {
      tasks?.abort(attempt);
    },
  };
}

class WorkerTasks {
  readonly #platform: ComputePlatform;
  readonly #host: Remote<ComputeHost>;
  /** Of the task that runs. */
  #outputs: OutputForm = "encoded";
  readonly #runtime: TaskRuntime;
  /** An imported module cannot be unloaded, so there is nothing to gain from forgetting it. */
  readonly #bundles = new Map<BlobHash, Promise<Workload>>();
  readonly #broadcasts = new Map<string, Promise<Value>>();
  readonly #running = new Map<AttemptId, AbortController>();
  readonly #relief: Relief;
  /** Undefined where the node fetches for its threads. */
  readonly #ownFetches: OwnFetches | undefined;

  constructor(
    platform: ComputePlatform,
    host: Remote<ComputeHost>,
    config: WorkerConfig,
    backends: readonly Backend[],
  ) {
    this.#platform = platform;
    this.#host = host;
    const { coordinator } = config;
    this.#ownFetches =
      coordinator === null ? undefined : new OwnFetches(host, (secret) => platform.dataPlane(coordinator, secret));
    const environment: RuntimeEnvironment = {
      backends,
      memoryBytes: config.memoryBytes,
      summaryBytes: config.summaryBytes,
      ...(platform.webgpu && { webgpu: platform.webgpu }),
      ...(platform.webgl && { webgl: platform.webgl }),
      open: (job, source, expected, signal) => {
        const file = source.path === undefined ? undefined : platform.openFile?.(source.path, source);
        if (file === undefined) {
          return readAhead(source, (start, end) => this.#request({ job, source, start, end }, signal), expected);
        }
        // What a file leaves behind is worth a collection only where memory is short.
        if (this.#outputs === "moved") this.#relief.passed(expected === undefined ? 0 : expected.end - expected.start);
        return file;
      },
      allocate: (bytes) =>
        new Uint8Array(this.#outputs === "shared" ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes)),
      dropped: (bytes) => this.#relief.passed(bytes),
    };
    this.#runtime = new TaskRuntime(environment, systemClock);
    this.#relief = new Relief(config.memoryBytes / 8, () => platform.collect?.());
  }

  #request(part: SourcePart, signal: AbortSignal): SourcePieces {
    if (this.#ownFetches !== undefined) return piecesOfStream(this.#ownFetches.read(part, signal));
    // What comes through ports leaves about as much behind as was read.
    this.#relief.passed(part.end - part.start);
    const { port1, port2 } = new MessageChannel();
    void this.#host.stream(part, transfer(port2, [port2]));
    return piecesOfPort(port1);
  }

  async run(request: RunRequest): Promise<RunReply> {
    const { attempt, stage, partition } = request;
    this.#outputs = request.outputs;
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

  rest(): void {
    this.#runtime.rest();
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
