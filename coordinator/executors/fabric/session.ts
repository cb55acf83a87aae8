import { KindlingError } from "../../../shared/errors.ts";
import type { AttemptId, JobId, NodeId } from "../../../shared/ids.ts";
import type { CoordinatorChannel } from "../../../shared/protocol/channel.ts";
import type { Hello, Lease, PeerIdentity, StageSpec } from "../../../shared/protocol/messages.ts";
import type { Backend } from "../../../shared/sdk/task.ts";

/** Leases in one message, and chunks that they name together (at some 200 bytes each): a frame has a limit. */
const ASSIGN_BATCH = 64;
const ASSIGN_CHUNKS = 20_000;

/** A joined node: its connection and what it has been told. */
export class NodeSession {
  readonly id: NodeId;
  readonly secret: string;
  readonly hello: Hello;
  readonly joinedAt: number;
  channel: CoordinatorChannel;
  slots: number;
  /** Who it is to other nodes; null where it takes no connections. */
  peer: PeerIdentity | null = null;
  /** Whether what comes through the coordinator crosses no network on its way to it. */
  isOnThisMachine = false;
  leaving = false;
  /** It leaves and owes nothing: its connection ends as soon as what is needed of it is here. */
  released = false;
  tasksDone = 0;
  /** Monotonic ms of the last sign of life. */
  lastSeen: number;
  /** Units done so far by the attempts that run there, from its last heartbeat. */
  units = new Map<AttemptId, number>();
  readonly #stagesTold = new Set<string>();

  constructor(id: NodeId, secret: string, hello: Hello, channel: CoordinatorChannel, now: number, joinedAt: number) {
    this.id = id;
    this.secret = secret;
    this.hello = hello;
    this.channel = channel;
    this.slots = hello.slots;
    this.lastSeen = now;
    this.joinedAt = joinedAt;
  }

  /** As logs and pages show it: without control characters, since it came from outside. */
  get name(): string {
    return this.hello.name.replaceAll(/\p{C}+/gu, " ").trim() || this.id;
  }

  get backends(): readonly Backend[] {
    return this.hello.backends;
  }

  /** Sends leases, and before them the stages that this connection has not been told of. Gives those that no message holds. */
  assign(leases: readonly Lease[], stageOf: (lease: Lease) => StageSpec): Lease[] {
    return [...batches(leases)].flatMap((batch) => this.#assign(batch, stageOf));
  }

  #assign(leases: readonly Lease[], stageOf: (lease: Lease) => StageSpec): readonly Lease[] {
    const stages = new Map<string, StageSpec>();
    for (const lease of leases) {
      const key = `${lease.job}/${lease.ordinal}`;
      if (!this.#stagesTold.has(key) && !stages.has(key)) stages.set(key, stageOf(lease));
    }
    try {
      this.channel.send({ type: "assign", stages: [...stages.values()], leases: [...leases] });
    } catch (error) {
      if (!(error instanceof KindlingError) || error.code !== "FrameTooLarge") throw error;
      if (leases.length === 1) return leases;
      const half = leases.length >> 1;
      return [leases.slice(0, half), leases.slice(half)].flatMap((part) => this.#assign(part, stageOf));
    }
    for (const key of stages.keys()) this.#stagesTold.add(key);
    return [];
  }

  /** The job is over. */
  forget(job: JobId): void {
    for (const key of this.#stagesTold) if (key.startsWith(`${job}/`)) this.#stagesTold.delete(key);
    this.channel.send({ type: "forget", job });
  }
}

function* batches(leases: readonly Lease[]): Generator<Lease[]> {
  let batch: Lease[] = [];
  let chunks = 0;
  for (const lease of leases) {
    const named = lease.input.kind === "chunks" ? lease.input.chunks.length : 1;
    if (batch.length === ASSIGN_BATCH || (batch.length > 0 && chunks + named > ASSIGN_CHUNKS)) {
      yield batch;
      batch = [];
      chunks = 0;
    }
    batch.push(lease);
    chunks += named;
  }
  if (batch.length > 0) yield batch;
}
