import { expose, type Remote, transfer, wrap } from "comlink";
import type { Clock } from "../../shared/clock.ts";
import { toWireError, type WireError } from "../../shared/errors.ts";
import type { AttemptId, BlobHash } from "../../shared/ids.ts";
import type { Backend } from "../../shared/sdk/task.ts";
import type { ComputeHost, ComputeWorker, RunReply, RunRequest, WorkerConfig } from "../worker/compute-protocol.ts";
import type { SpawnWorker, WorkerHandle } from "./worker-handle.ts";

/** ms between asking a kernel to stop and ending its thread. */
const KILL_GRACE = 500;
/** ms; timers take no more. */
const LONGEST_TIMER = 2 ** 31 - 1;

export interface SlotOptions {
  readonly spawn: SpawnWorker;
  readonly host: ComputeHost;
  readonly config: WorkerConfig;
  readonly clock: Clock;
}

interface Live {
  readonly remote: Remote<ComputeWorker>;
  readonly backends: Promise<readonly Backend[]>;
  readonly handle: WorkerHandle;
  /** Bundles that it was told to get ready. */
  readonly loaded: Set<BlobHash>;
  broken: boolean;
  /** Whether it has run nothing since it began or was told to rest. */
  rests: boolean;
  end(): void;
}

type Ending =
  | { readonly kind: "replied"; readonly reply: RunReply }
  /** The thread is of no more use. */
  | { readonly kind: "broke"; readonly error: unknown };

const broke = (error: unknown): Ending => ({ kind: "broke", error });

interface Run {
  readonly attempt: AttemptId;
  /** Aborts the kernel and, if it goes on, ends the thread; the run then gives this error. */
  stop(error: WireError): void;
}

/** One worker thread with the run that occupies it. A thread that was killed or broke is replaced at once. */
export class Slot {
  readonly #options: SlotOptions;
  #live: Live;
  #run: Run | undefined;
  #stopped = false;

  constructor(options: SlotOptions) {
    this.#options = options;
    this.#live = this.#spawn();
  }

  /** Resolves once the thread takes work. */
  get backends(): Promise<readonly Backend[]> {
    return this.#live.backends;
  }

  get attempt(): AttemptId | undefined {
    return this.#run?.attempt;
  }

  get idle(): boolean {
    return this.#run === undefined && !this.#stopped;
  }

  /**
   * Runs one task. Never rejects: what goes wrong is a failed reply, `DeadlineExceeded` when it ran longer than
   * its stage allows, `TaskCrashed` when the thread broke. The buffers of `transfers` are given away.
   */
  async run(request: RunRequest, transfers: readonly ArrayBuffer[]): Promise<RunReply> {
    const { attempt, stage, partition } = request;
    const { clock } = this.#options;
    if (this.#live.broken) this.#replace();
    const live = this.#live;
    live.rests = false;
    const killed = Promise.withResolvers<Ending>();
    let verdict: WireError | undefined;
    let cancelKill = (): void => {};
    const stop = (error: WireError): void => {
      if (verdict !== undefined) return;
      verdict = error;
      void live.remote.abort(attempt);
      cancelKill = clock.after(KILL_GRACE, () => killed.resolve({ kind: "broke", error }));
    };
    this.#run = { attempt, stop };
    const cancelDeadline = clock.after(Math.min(stage.deadline, LONGEST_TIMER), () => {
      const message = `Task "${stage.task}" ran longer than ${stage.deadline} ms on partition ${partition}`;
      stop({ code: "DeadlineExceeded", message, retryable: true });
    });
    const replied = live.backends.then((): Promise<RunReply> => live.remote.run(transfer(request, [...transfers])));
    const ending = await Promise.race<Ending>([
      replied.then((reply): Ending => ({ kind: "replied", reply })).catch(broke),
      live.handle.failed.then(broke),
      killed.promise,
    ]);
    cancelDeadline();
    cancelKill();
    if (ending.kind === "broke") this.#replace();
    this.#run = undefined;
    if (ending.kind === "replied" && (ending.reply.ok || verdict === undefined)) return ending.reply;
    return { ok: false, error: verdict ?? toWireError(ending.kind === "broke" ? ending.error : undefined) };
  }

  /** Lets the thread get a bundle ready, once. Never rejects. */
  async load(bundle: BlobHash): Promise<void> {
    const { loaded, broken, backends, remote, handle } = this.#live;
    if (broken || this.#stopped || loaded.has(bundle)) return;
    loaded.add(bundle);
    const done = backends.then(() => remote.load(bundle));
    await Promise.race([done, handle.failed]).catch(() => {});
  }

  /** Lets the thread, where it is idle, let go of memory that only another task of its last stage would use. */
  rest(): void {
    const live = this.#live;
    if (!this.idle || live.broken || live.rests) return;
    live.rests = true;
    void live.remote.rest();
  }

  /** Ends the attempt if it runs here: the kernel is asked, then the thread is killed. */
  abort(attempt: AttemptId, error: WireError): void {
    if (this.#run?.attempt === attempt) this.#run.stop(error);
  }

  stop(): void {
    this.#stopped = true;
    this.#live.end();
  }

  #replace(): void {
    this.#live.end();
    if (!this.#stopped) this.#live = this.#spawn();
  }

  #spawn(): Live {
    const { spawn, host, config } = this.#options;
    const handle = spawn();
    const remote = wrap<ComputeWorker>(handle.endpoint);
    const { port1, port2 } = new MessageChannel();
    expose(host, port1);
    const failed = handle.failed.then((error): never => {
      live.broken = true;
      throw error;
    });
    const backends = Promise.race([remote.init(transfer(port2, [port2]), config), failed]);
    failed.catch(() => {});
    backends.catch(() => {});
    const live: Live = {
      remote,
      backends,
      handle,
      loaded: new Set(),
      broken: false,
      rests: true,
      end() {
        port1.close();
        handle.terminate();
      },
    };
    return live;
  }
}
