import type { Clock } from "../../shared/clock.ts";
import { toWireError } from "../../shared/errors.ts";
import type { BlobHash } from "../../shared/ids.ts";
import type { NodeChannel } from "../../shared/protocol/channel.ts";
import {
  type HeldChunk,
  type Hello,
  type Lease,
  PROTOCOL_VERSION,
  type StageSpec,
  SUMMARY_BYTES,
  type ToNode,
} from "../../shared/protocol/messages.ts";
import type { Rng } from "../../shared/rng.ts";
import type { Backend } from "../../shared/sdk/task.ts";
import type { OpenPeerTransport } from "../transport/peer/channel.ts";
import { PeerExchange } from "../transport/peer/exchange.ts";
import type { DataPlane } from "./data-plane.ts";
import type { ExecutionLog } from "./execution-log.ts";
import { HeldOutputs } from "./held-outputs.ts";
import { type Connection, orAborted } from "./connection.ts";
import { Inputs } from "./inputs.ts";
import { WorkerPool } from "./pool.ts";
import { Publisher } from "./publisher.ts";
import type { SessionState } from "./session.ts";
import { SessionDriver } from "./session-driver.ts";
import { Relief } from "./relief.ts";
import { pumpSource } from "./source-pump.ts";
import { Spill, type SpillFile } from "./spill.ts";
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
  /** Origin of the coordinator, from which workers fetch sources themselves; absent where the node does that for them. */
  readonly readFrom?: string | undefined;
  /** Makes connections to other nodes; absent where the environment cannot, or the user does not want to be seen by them. */
  readonly peers?: OpenPeerTransport | undefined;
  readonly spawn: SpawnWorker;
  readonly clock: Clock;
  readonly rng: Rng;
  /** What this environment cannot do, in words, given the backends that were found to work. */
  readonly lacks?: (backends: readonly Backend[]) => readonly string[];
  /** Coordinator and node share this process: values pass as they are, and sources are read in place. */
  readonly inProcess?: boolean;
  readonly executionLog?: ExecutionLog;
  /** Opens a file for outputs that the memory has no room for; absent where there is none. */
  readonly spill?: (() => SpillFile) | undefined;
  /** Frees unused memory at once; absent where the environment cannot. */
  readonly collect?: (() => void) | undefined;
}

/** The system keeps what is written to a file in memory where there is room: a larger share of ours would only grow with the job. */
const HELD_MOST_BYTES = 2 ** 28;
/** More held outputs than this would not fit into a hello. */
const HELD_MOST = 50_000;
const HELLO_NAME = 64;
/** With less memory than this, outputs within a process move and are not shared: what is free must be so at once. */
const SHARE_FROM_BYTES = 2 ** 30;

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
  readonly #peers: PeerExchange | undefined;
  readonly #bench: Workbench;
  readonly #publisher: Publisher;
  readonly #session: SessionDriver;
  readonly #lifetime = new AbortController();
  readonly #stages = new Map<string, StageSpec>();
  readonly #bytes = { received: 0, sent: 0 };
  #backends: readonly Backend[] = [];
  #plane: { readonly secret: string; readonly plane: DataPlane } | undefined;
  #joined = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<NodeState>();

  /** Resolves once all threads take work; the node joins then. Rejects if they do not start. */
  readonly ready: Promise<void>;
  /** Resolves when the node has left or cannot go on; its state says why. */
  readonly ended: Promise<NodeState> = this.#ended.promise;

  constructor(parts: NodeParts) {
    this.#parts = parts;
    const { identity, clock, rng, spawn, inProcess = false } = parts;
    const { slots, memoryBytes } = identity;
    const outputs = inProcess ? (memoryBytes < SHARE_FROM_BYTES ? "moved" : "shared") : "encoded";
    const connection: Connection = {
      clock,
      plane: (signal) => this.#joinedPlane(signal),
      isJoined: () => this.#session.isJoined,
    };
    this.#publisher = new Publisher(clock, () => this.state);
    // The outputs' share is below; an eighth of the memory for each cache. The kernels share it all besides, since they seldom need their share.
    const spill = this.#spill(memoryBytes / 16);
    // A browser's files are slow beside its memory, so that a tab keeps a quarter in it all the same.
    const isQuarter = spill === undefined || identity.kind === "tab";
    this.#held = new HeldOutputs(isQuarter ? memoryBytes / 4 : Math.min(memoryBytes / 16, HELD_MOST_BYTES), spill);
    const count = (direction: "received" | "sent", bytes: number): void => {
      this.#bytes[direction] += bytes;
      this.#publisher.changed();
    };
    this.#peers =
      parts.peers &&
      new PeerExchange({
        open: parts.peers,
        clock,
        dial: (job, peer) => this.#session.send({ type: "dial", job, peer }),
        held: (key, hash) => this.#held.encoded(key, hash),
        sent: (bytes) => count("sent", bytes),
      });
    this.#inputs = new Inputs({
      connection,
      held: this.#held,
      ...(this.#peers === undefined ? {} : { peers: this.#peers }),
      lifetime: this.#lifetime.signal,
      cacheBytes: memoryBytes / 8,
      count,
    });
    this.#pool = new WorkerPool(slots, {
      spawn,
      clock,
      config: {
        memoryBytes: Math.floor(memoryBytes / slots),
        summaryBytes: SUMMARY_BYTES,
        coordinator: parts.readFrom ?? null,
      },
      host: {
        bundle: (hash) => this.#inputs.bundle(hash),
        broadcast: (ref) => this.#inputs.broadcast(ref),
        secret: () => this.#secret(),
        isJoined: () => this.#session.isJoined,
        received: (bytes) => count("received", bytes),
        stream: (part, port) =>
          pumpSource(port, (start, end) => this.#inputs.read({ ...part, start, end }), {
            ...{ start: part.start, end: part.end },
            memoryBytes: memoryBytes / slots,
          }),
        progress: (attempt, units) => this.#bench.progress(attempt, units),
      },
    });
    this.#bench = new Workbench({
      slots,
      aheadBytes: memoryBytes / 16,
      outputs,
      pool: this.#pool,
      inputs: this.#inputs,
      held: this.#held,
      clock,
      executionLog: parts.executionLog,
      finished: (result) => {
        const chunks = result.ok ? result.chunks : [];
        for (const { inline } of chunks) this.#bytes.sent += inline?.byteLength ?? 0;
        this.#session.dispatch({ type: "Finished", results: [result] });
      },
      changed: () => this.#publisher.changed(),
    });
    this.#session = new SessionDriver({
      clock,
      rng,
      slots,
      open: parts.open,
      describe: () => this.#describe(),
      unitsOf: (attempt) => this.#bench.unitsOf(attempt),
      receive: (message) => this.#receive(message),
      changed: () => this.#publisher.changed(),
      stopped: () => this.#stopAll(),
    });
    this.ready = this.#start();
    // Whoever does not wait for it learns of a failure from `ended`.
    this.ready.catch(() => {});
  }

  #spill(reliefBytes: number): Spill | undefined {
    const { spill, collect } = this.#parts;
    return spill && new Spill(spill, new Relief(reliefBytes, collect));
  }

  async #start(): Promise<void> {
    try {
      this.#backends = await this.#pool.ready;
      this.#session.dispatch({ type: "Start" });
    } catch (error) {
      this.#session.dispatch({
        type: "Fail",
        detail: `Its worker threads do not start: ${toWireError(error).message}`,
      });
      throw error;
    }
  }

  get state(): NodeState {
    const { detail, outdated, resume } = this.#session.state;
    const { done } = this.#bench;
    return {
      phase: phaseOf(this.#session.state),
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

  /** Gets a bundle ready on all threads before a task of it comes; what is wrong with it, that task tells. */
  load(bundle: BlobHash): Promise<void> {
    return this.#pool.load(bundle);
  }

  /** Finishes what runs, gives back the rest, and takes no more until `resume`. */
  pause(): void {
    this.#session.dispatch({ type: "Pause", released: this.#bench.close() });
  }

  resume(): void {
    if (this.#session.state.leaving === null) this.#bench.reopen();
    this.#session.dispatch({ type: "Resume" });
  }

  /** Finishes or gives back what it runs, then leaves. */
  async stop(): Promise<void> {
    this.#session.dispatch({ type: "Leave", released: this.#bench.close() });
    await this.ended;
  }

  /** Calls back at once and on every change, at most every 500 ms. */
  subscribe(listener: (state: NodeState) => void): void {
    this.#publisher.subscribe(listener);
  }

  /** What a hello says. */
  #describe(): Omit<Hello, "type" | "resume" | "running"> {
    const { token, name, kind, slots, memoryBytes } = this.#parts.identity;
    return {
      protocol: PROTOCOL_VERSION,
      token,
      name: name.slice(0, HELLO_NAME),
      kind,
      slots,
      memoryBytes,
      backends: [...this.#backends],
      lacks: [...this.#lacks],
      held: this.#held.list(HELD_MOST),
      peers: this.#peers !== undefined,
    };
  }

  readonly #handlers: Handlers = {
    welcome: ({ node, secret, heartbeat, peer }) => {
      if (this.#plane?.secret !== secret) this.#plane = { secret, plane: this.#parts.dataPlane(secret) };
      this.#peers?.join(peer);
      this.#session.dispatch({ type: "Welcome", node, secret, heartbeat });
      this.#joined.resolve();
      this.#joined = Promise.withResolvers<void>();
    },
    assign: ({ stages, leases }) => {
      for (const stage of stages) this.#stages.set(`${stage.job}/${stage.ordinal}`, this.#ownSources(stage));
      const attempts = leases.map(({ attempt }) => attempt);
      this.#session.dispatch({ type: "Assigned", attempts });
      if (this.#bench.isOpen) for (const lease of leases) this.#assign(lease);
      else this.#session.dispatch({ type: "GiveBack", released: attempts });
    },
    revoke: ({ attempts }) => {
      this.#bench.revoke(attempts);
      this.#session.dispatch({ type: "Revoked", attempts });
    },
    acknowledge: ({ accepted, rejected }) => {
      this.#held.reject(rejected);
      this.#session.dispatch({ type: "Acknowledged", attempts: [...accepted, ...rejected] });
    },
    upload: ({ chunks }) => {
      for (const chunk of chunks) void this.#upload(chunk);
    },
    forget: ({ job }) => {
      this.#session.dispatch({ type: "Revoked", attempts: this.#bench.forget(job) });
      this.#held.forget(job);
      this.#peers?.forget(job);
      this.#inputs.forget(job);
      for (const key of this.#stages.keys()) if (key.startsWith(`${job}/`)) this.#stages.delete(key);
    },
    ticket: ({ job, peer, ticket }) => this.#peers?.ticket(job, peer, ticket),
    listen: () => this.#peers?.listen(),
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
    this.#session.dispatch({ type: "Finished", results: [{ attempt: lease.attempt, ok: false, error }] });
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
      if (await this.#inputs.upload(chunk, payload)) this.#held.kept(chunk.key);
    } catch {
      // Whatever the reason, the coordinator must look elsewhere.
      this.#session.send({ type: "unavailable", chunks: [chunk.key] });
    }
  }

  async #joinedPlane(signal: AbortSignal): Promise<DataPlane> {
    while (!this.#session.isJoined || this.#plane === undefined) {
      await orAborted(this.#joined.promise, signal);
    }
    return this.#plane.plane;
  }

  async #secret(): Promise<string> {
    await this.#joinedPlane(this.#lifetime.signal);
    return this.#plane?.secret ?? "";
  }

  #stopAll(): void {
    this.#bench.close();
    this.#lifetime.abort();
    this.#pool.stop();
    this.#peers?.close();
    this.#held.clear();
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
