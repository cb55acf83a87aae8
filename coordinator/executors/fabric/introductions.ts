import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { Clock } from "../../../shared/clock.ts";
import type { JobId } from "../../../shared/ids.ts";
import type { ChunkRef, PeerIdentity, TaskInput } from "../../../shared/protocol/messages.ts";
import type { PeerService } from "../../net/services.ts";

/** ms in which a ticket must be used. */
const TICKET_MS = 10_000;
/** Tickets that one node may have at a time; the oldest go first. */
const MAX_TICKETS = 64;
const RANDOM_BYTES = 16;

interface Ticket {
  readonly reader: string;
  readonly holder: string;
  readonly job: JobId;
  readonly until: number;
}

/** Who of the nodes may connect to whom: those whom an assignment brought together, by a ticket for each offer, as long as the job lasts. */
export class Introductions implements PeerService {
  readonly #clock: Clock;
  /** Digests of tokens by peer id. */
  readonly #peers = new Map<string, Buffer>();
  /** `reader/holder` by job. */
  readonly #pairs = new Map<JobId, Set<string>>();
  readonly #tickets = new Map<string, Ticket>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Names a node for the signalling server. */
  enrol(): PeerIdentity {
    const identity = {
      id: randomBytes(RANDOM_BYTES).toString("hex"),
      token: randomBytes(RANDOM_BYTES).toString("hex"),
    };
    this.#peers.set(identity.id, digest(identity.token));
    return identity;
  }

  /** The node is gone. */
  expel(peer: string): void {
    this.#peers.delete(peer);
    for (const [text, { reader, holder }] of this.#tickets) {
      if (reader === peer || holder === peer) this.#tickets.delete(text);
    }
    for (const pairs of this.#pairs.values()) {
      for (const pair of pairs) if (pair.includes(peer)) pairs.delete(pair);
    }
  }

  /** The reader was told that this holder has what it needs for the job. */
  introduce(job: JobId, reader: string, holder: string): void {
    const pairs = this.#pairs.get(job) ?? new Set<string>();
    this.#pairs.set(job, pairs.add(`${reader}/${holder}`));
  }

  /** Good for one offer; null where the two were not introduced. */
  ticket(job: JobId, reader: string, holder: string): string | null {
    if (this.#pairs.get(job)?.has(`${reader}/${holder}`) !== true) return null;
    const now = this.#clock.now();
    const own: string[] = [];
    for (const [text, ticket] of this.#tickets) {
      if (ticket.until <= now) this.#tickets.delete(text);
      else if (ticket.reader === reader) own.push(text);
    }
    const [oldest] = own;
    if (own.length >= MAX_TICKETS && oldest !== undefined) this.#tickets.delete(oldest);
    const text = randomBytes(RANDOM_BYTES).toString("base64url");
    this.#tickets.set(text, { reader, holder, job, until: now + TICKET_MS });
    return text;
  }

  end(job: JobId): void {
    this.#pairs.delete(job);
    for (const [text, ticket] of this.#tickets) if (ticket.job === job) this.#tickets.delete(text);
  }

  admits(peer: string, token: string): boolean {
    const expected = this.#peers.get(peer);
    return expected !== undefined && timingSafeEqual(expected, digest(token));
  }

  redeem(text: string, reader: string, holder: string): JobId | null {
    const ticket = this.#tickets.get(text);
    // Whoever shows a ticket has used it, also in vain.
    this.#tickets.delete(text);
    if (ticket === undefined || ticket.until <= this.#clock.now()) return null;
    return ticket.reader === reader && ticket.holder === holder ? ticket.job : null;
  }
}

/** The input with the peers that have each of its chunks. */
export function withHolders(input: TaskInput, holders: (ref: ChunkRef) => string[]): TaskInput {
  const named = (ref: ChunkRef): ChunkRef => {
    const peers = holders(ref);
    return peers.length === 0 ? ref : { ...ref, holders: peers };
  };
  switch (input.kind) {
    case "value":
      return input;
    case "chunk":
      return { kind: "chunk", chunk: named(input.chunk) };
    case "chunks":
      return { kind: "chunks", chunks: input.chunks.map(named) };
  }
}

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
