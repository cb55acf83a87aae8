import { transfer } from "comlink";
import type { Clock } from "../../shared/clock.ts";
import { toWireError } from "../../shared/errors.ts";
import type { NodeChannel } from "../../shared/protocol/channel.ts";
import {
  type HeldChunk,
  type Hello,
  type Lease,
  PROTOCOL_VERSION,
  type StageSpec,
  SUMMARY_BYTES,
  type ToCoordinator,
  type ToNode,
} from "../../shared/protocol/messages.ts";
import type { Rng } from "../../shared/rng.ts";
import type { Backend } from "../../shared/sdk/task.ts";
import type { DataPlane } from "./data-plane.ts";
import type { ExecutionLog } from "./execution-log.ts";
import { HeldOutputs } from "./held-outputs.ts";
import { type Connection, Inputs } from "./inputs.ts";
import { WorkerPool } from "./pool.ts";
import { Publisher } from "./publisher.ts";
import {
  initialSession,
  reduceSession,
  type SessionEffect,
  type SessionEvent,
  type SessionState,
  wakeAt,
} from "./session.ts";
import type { NodeState } from "./state.ts";
import type { SpawnWorker } from "./worker-handle.ts";
import { Workbench } from "./workbench.ts";

/** What a node tells its coordinator about itself. */
export interface NodeIdentity {
  readonly token: string;
  readonly name: string;
  readonly kind: Hello["kind"];
  readonly slots: number;
  readonly memoryBytes: number;
}

export interface NodeParts {
  readonly identity: NodeIdentity;
  /** Makes a connection; called again after a break. */
  readonly open: () => NodeChannel;
  readonly dataPlane: (secret: string) => DataPlane;
  readonly spawn: SpawnWorker;
  readonly clock: Clock;
  readonly rng: Rng;
  /** What this environment cannot do, in words, given the backends that were found to work. */
  readonly lacks?: (backends: readonly Backend[]) => readonly string[];
  /** Coordinator and node share this process: values pass as they are, and sources are read in place. */
  readonly inProcess?: boolean;
  readonly executionLog?: ExecutionLog;
}

/** More held outputs than this would not fit into a hello. */
const HELD_MOST = 50_000;
const HELLO_NAME = 64;

type Handlers = { [K in ToNode["type"]]: (message: Extract<ToNode, { type: K }>) => void };

/**
 * One node, in a tab or headless: joins, works off leases and holds outputs. The session's rules are in session.ts, the
 * way from lease to result in workbench.ts; this is the shell that gives them a connection, threads and a timer.
 */
export class ComputeNode {
  readonly #parts: NodeParts;
  readonly #pool: WorkerPool;
  readonly #held: HeldOutputs;
  readonly #inputs: Inputs;
  readonly #bench: Workbench;
  readonly #publisher: Publisher;
  readonly #lifetime = new AbortController();
  readonly #stages = new Map<string, StageSpec>();
  readonly #bytes = { received: 0, sent: 0 };
  #backends: readonly Backend[] = [];
  #session: SessionState = initialSession;
  readonly #events: SessionEvent[] = [];
  #reducing = false;
  #channel: NodeChannel | undefined;
  #plane: { readonly secret: string; readonly plane: DataPlane } | undefined;
  #joined = Promise.withResolvers<void>();
  #cancelWake = (): void => {};
  readonly #ended = Promise.withResolvers<NodeState>();

  /** Resolves once all threads take work; the node joins then. Rejects if they do not start. */
  readonly ready: Promise<void>;
  /** Resolves when the node has left or cannot go on; its state says why. */
  readonly ended: Promise<NodeState> = this.#ended.promise;

  constructor(parts: NodeParts) {
    this.#parts = parts;
    const { identity, clock, spawn, inProcess = false } = parts;
    const { slots, memoryBytes } = identity;
    const connection: Connection = {
      plane: (signal) => this.#joinedPlane(signal),
      isJoined: () => this.#session.link.kind === "joined",
    };
    this.#publisher = new Publisher(clock, () => this.state);
    // A quarter of the memory for outputs that others hold too, an eighth for each cache; the kernels share the rest.
    this.#held = new HeldOutputs(memoryBytes / 4);
    this.#inputs = new Inputs({
      connection,
      held: this.#held,
      clock,
      lifetime: this.#lifetime.signal,
      cacheBytes: memoryBytes / 8,
      count: (direction, bytes) => {
        this.#bytes[direction] += bytes;
        this.#publisher.changed();
      },
    });
    this.#pool = new WorkerPool(slots, {
      spawn,
      clock,
      config: { inProcess, memoryBytes: Math.floor(memoryBytes / slots), summaryBytes: SUMMARY_BYTES },
      host: {
        bundle: (hash) => this.#inputs.bundle(hash),
        broadcast: (ref) => this.#inputs.broadcast(ref),
        read: async (job, source, start, end) => {
          const bytes = await this.#inputs.read(job, source, start, end);
          return transfer(bytes, bytes.buffer instanceof ArrayBuffer ? [bytes.buffer] : []);
        },
        progress: (attempt, units) => this.#bench.progress(attempt, units),
      },
    });
    this.#bench = new Workbench({
      slots,
      pool: this.#pool,
      inputs: this.#inputs,
      held: this.#held,
      clock,
      executionLog: parts.executionLog,
      finished: (result) => this.#dispatch({ type: "Finished", results: [result] }),
      changed: () => this.#publisher.changed(),
    });
    this.ready = this.#start();
    // Whoever does not wait for it learns of a failure from `ended`.
    this.ready.catch(() => {});
  }

  async #start(): Promise<void> {
    try {
      this.#backends = await this.#pool.ready;
      this.#dispatch({ type: "Start" });
    } catch (error) {
      this.#dispatch({ type: "Fail", detail: `Its worker threads do not start: ${toWireError(error).message}` });
      throw error;
    }
  }

  get state(): NodeState {
    const { detail, outdated, resume } = this.#session;
    const { done } = this.#bench;
    return {
      phase: phaseOf(this.#session),
      detail,
      outdated,
      node: resume?.node ?? null,
      slots: this.#parts.identity.slots,
      running: this.#bench.running(),
      tasksDone: done.tasks,
      tasksFailed: done.failed,
      unitsDone: done.units,
      bytesReceived: this.#bytes.received,
      bytesSent: this.#bytes.sent,
      backends: this.#backends,
      lacks: this.#lacks,
    };
  }

  get #lacks(): readonly string[] {
    return this.#parts.lacks?.(this.#backends) ?? [];
  }

  /** Finishes what runs, gives back the rest, and takes no more until `resume`. */
  pause(): void {
    this.#dispatch({ type: "Pause", released: this.#bench.close() });
  }

  resume(): void {
    if (this.#session.leaving === null) this.#bench.reopen();
    this.#dispatch({ type: "Resume" });
  }

  /** Finishes or gives back what it runs, then leaves. */
  async stop(): Promise<void> {
    this.#dispatch({ type: "Leave", released: this.#bench.close(), holds: this.#held.isSole });
    await this.ended;
  }

  /** Calls back at once and on every change, at most every 100 ms. */
  subscribe(listener: (state: NodeState) => void): void {
    this.#publisher.subscribe(listener);
  }

  #dispatch(event: SessionEvent): void {
    this.#events.push(event);
    // Effects may give rise to events; those wait for their turn.
    if (this.#reducing) return;
    this.#reducing = true;
    try {
      for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift()) {
        const [session, effects] = reduceSession(this.#session, next, this.#parts.clock.now(), this.#parts.rng);
        this.#session = session;
        for (const effect of effects) this.#perform(effect);
      }
    } finally {
      this.#reducing = false;
    }
    this.#cancelWake();
    const due = wakeAt(this.#session) - this.#parts.clock.now();
    this.#cancelWake = Number.isFinite(due)
      ? this.#parts.clock.after(Math.max(0, due), () => this.#dispatch({ type: "Tick" }))
      : () => {};
    this.#publisher.changed();
  }

  #perform(effect: SessionEffect): void {
    switch (effect.type) {
      case "Open":
        return this.#open();
      case "Greet":
        return this.#greet(effect);
      case "Beat": {
        const running = effect.running.map((attempt) => ({ attempt, units: this.#bench.unitsOf(attempt) }));
        return this.#send({ type: "heartbeat", running });
      }
      case "Send":
        return this.#send(effect.message);
      case "Offer": {
        const slots = effect.slots === "all" ? this.#parts.identity.slots : 0;
        return this.#send({ type: "availability", slots, released: [...effect.released] });
      }
      case "Close": {
        const channel = this.#channel;
        this.#channel = undefined;
        return channel?.close(effect.reason);
      }
      case "Stop":
        return this.#stopAll();
    }
  }

  #open(): void {
    let channel: NodeChannel;
    try {
      channel = this.#parts.open();
    } catch (error) {
      this.#dispatch({ type: "Closed", reason: { kind: "lost", detail: toWireError(error).message } });
      return;
    }
    this.#channel = channel;
    // A channel that was replaced may still speak.
    channel.onMessage((message) => {
      if (this.#channel === channel) this.#receive(message);
    });
    channel.onClose((reason) => {
      if (this.#channel !== channel) return;
      this.#channel = undefined;
      this.#dispatch({ type: "Closed", reason });
    });
    this.#dispatch({ type: "Opened" });
  }

  #greet({ resume, running }: SessionEffect & { type: "Greet" }): void {
    const { token, name, kind, slots, memoryBytes } = this.#parts.identity;
    this.#send({
      type: "hello",
      protocol: PROTOCOL_VERSION,
      token,
      ...(resume === null ? {} : { resume }),
      name: name.slice(0, HELLO_NAME),
      kind,
      slots,
      memoryBytes,
      backends: [...this.#backends],
      lacks: [...this.#lacks],
      held: this.#held.list(HELD_MOST),
      running: [...running],
    });
  }

  #send(message: ToCoordinator): void {
    if (message.type === "results") {
      for (const result of message.results) {
        if (!result.ok) continue;
        for (const { inline } of result.chunks) this.#bytes.sent += inline?.byteLength ?? 0;
      }
    }
    this.#channel?.send(message);
  }

  readonly #handlers: Handlers = {
    welcome: ({ node, secret, heartbeat }) => {
      if (this.#plane?.secret !== secret) this.#plane = { secret, plane: this.#parts.dataPlane(secret) };
      this.#dispatch({ type: "Welcome", node, secret, heartbeat });
      this.#joined.resolve();
      this.#joined = Promise.withResolvers<void>();
    },
    assign: ({ stages, leases }) => {
      for (const stage of stages) this.#stages.set(`${stage.job}/${stage.ordinal}`, this.#ownSources(stage));
      const attempts = leases.map(({ attempt }) => attempt);
      this.#dispatch({ type: "Assigned", attempts });
      if (this.#bench.isOpen) for (const lease of leases) this.#assign(lease);
      else this.#dispatch({ type: "GiveBack", released: attempts });
    },
    revoke: ({ attempts }) => {
      this.#bench.revoke(attempts);
      this.#dispatch({ type: "Revoked", attempts });
    },
    acknowledge: ({ accepted, rejected }) => {
      this.#held.reject(rejected);
      this.#dispatch({ type: "Acknowledged", attempts: [...accepted, ...rejected] });
    },
    upload: ({ chunks }) => {
      for (const chunk of chunks) void this.#upload(chunk);
    },
    forget: ({ job }) => {
      this.#dispatch({ type: "Revoked", attempts: this.#bench.forget(job) });
      this.#held.forget(job);
      this.#inputs.forget(job);
      for (const key of this.#stages.keys()) if (key.startsWith(`${job}/`)) this.#stages.delete(key);
    },
  };

  #receive(message: ToNode): void {
    const handle = this.#handlers[message.type] as (message: ToNode) => void;
    handle(message);
  }

  #assign(lease: Lease): void {
    const stage = this.#stages.get(`${lease.job}/${lease.ordinal}`);
    if (stage !== undefined) {
      this.#bench.assign(lease, stage);
      return;
    }
    const message = `${lease.attempt} belongs to a stage that this node was not told of`;
    const error = { code: "UnknownStage", message, retryable: true };
    this.#dispatch({ type: "Finished", results: [{ attempt: lease.attempt, ok: false, error }] });
  }

  /** A coordinator elsewhere must not make this machine open files of its own. */
  #ownSources(stage: StageSpec): StageSpec {
    if (this.#parts.inProcess === true) return stage;
    return { ...stage, sources: stage.sources.map(({ ordinal, name, bytes }) => ({ ordinal, name, bytes })) };
  }

  async #upload(chunk: HeldChunk): Promise<void> {
    const payload = this.#held.get(chunk.key);
    try {
      if (payload === undefined) throw new Error("not held here");
      await this.#inputs.upload(chunk, payload);
      this.#held.uploaded(chunk.key);
    } catch {
      // Whatever the reason, the coordinator must look elsewhere.
      this.#send({ type: "unavailable", chunks: [chunk.key] });
    }
  }

  async #joinedPlane(signal: AbortSignal): Promise<DataPlane> {
    while (this.#session.link.kind !== "joined" || this.#plane === undefined) {
      await aborted(signal, this.#joined.promise);
    }
    return this.#plane.plane;
  }

  #stopAll(): void {
    this.#bench.close();
    this.#lifetime.abort();
    this.#pool.stop();
    this.#held.clear();
    const channel = this.#channel;
    this.#channel = undefined;
    channel?.close({ kind: "normal", detail: "left" });
    this.#publisher.end();
    this.#ended.resolve(this.state);
  }
}

function phaseOf({ link, leaving, paused, resume }: SessionState): NodeState["phase"] {
  if (link.kind === "stopped") return "stopped";
  if (leaving !== null) return "leaving";
  if (link.kind === "joined") return paused ? "paused" : "working";
  return resume === null ? "connecting" : "reconnecting";
}

/** Waits for the promise, or rejects with the signal's reason. */
async function aborted(signal: AbortSignal, promise: Promise<void>): Promise<void> {
  signal.throwIfAborted();
  const { promise: stopped, reject } = Promise.withResolvers<never>();
  const listener = (): void => reject(signal.reason as Error);
  signal.addEventListener("abort", listener, { once: true });
  try {
    await Promise.race([promise, stopped]);
  } finally {
    signal.removeEventListener("abort", listener);
  }
}
