import type { WireError } from "../../shared/errors.ts";
import type { AttemptId, BlobHash } from "../../shared/ids.ts";
import type { Backend } from "../../shared/sdk/task.ts";
import type { RunReply, RunRequest } from "../worker/compute-protocol.ts";
import { Slot, type SlotOptions } from "./slot.ts";

/** The threads of one node: as many as it offers slots, kept warm. */
export class WorkerPool {
  readonly #slots: readonly Slot[];
  /** Resolves with the backends that work here once every thread takes work; rejects if one does not start. */
  readonly ready: Promise<readonly Backend[]>;

  constructor(slots: number, options: SlotOptions) {
    this.#slots = Array.from({ length: slots }, () => new Slot(options));
    this.ready = Promise.all(this.#slots.map((slot) => slot.backends)).then(([first]) => first ?? ["js"]);
  }

  get idle(): boolean {
    return this.#slots.some((slot) => slot.idle);
  }

  /** Runs a task on an idle thread; the caller sees to it that there is one. Never rejects. */
  run(request: RunRequest, transfers: readonly ArrayBuffer[]): Promise<RunReply> {
    const slot = this.#slots.find((candidate) => candidate.idle);
    if (slot === undefined) throw new Error(`${request.attempt} was started while all threads are taken`);
    // The other threads will be asked soon: a stage of one task is the time to load what the next one runs on all of them.
    for (const other of this.#slots) if (other !== slot) void other.load(request.stage.bundle);
    return slot.run(request, transfers);
  }

  /** Resolves once every thread has a bundle ready, or has failed to; its first task tells what is wrong. */
  async load(bundle: BlobHash): Promise<void> {
    await Promise.all(this.#slots.map((slot) => slot.load(bundle)));
  }

  /** Lets threads that are idle let go of memory that only another task of their last stage would use. */
  rest(): void {
    for (const slot of this.#slots) slot.rest();
  }

  /** Ends an attempt; its run then gives `error`. */
  abort(attempt: AttemptId, error: WireError): void {
    for (const slot of this.#slots) slot.abort(attempt, error);
  }

  stop(): void {
    for (const slot of this.#slots) slot.stop();
  }
}
