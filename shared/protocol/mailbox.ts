import type { CloseReason } from "./channel.ts";

/**
 * The receiving half of a channel: keeps messages until there is a receiver, and tells once why the channel closed.
 * Listeners of the end are called in a later microtask, never from within `close`.
 */
export class Mailbox<In> {
  #receiver: ((message: In) => void) | null = null;
  #waiting: In[] = [];
  #listener: ((reason: CloseReason) => void) | null = null;
  #reason: CloseReason | null = null;

  get isClosed(): boolean {
    return this.#reason !== null;
  }

  /** A message has arrived. What comes after the end is dropped. */
  deliver(message: In): void {
    if (this.isClosed) return;
    if (this.#receiver === null) this.#waiting.push(message);
    else this.#receiver(message);
  }

  onMessage(receiver: (message: In) => void): void {
    this.#receiver = receiver;
    for (let message = this.#waiting.shift(); message !== undefined; message = this.#waiting.shift()) {
      receiver(message);
    }
  }

  onClose(listener: (reason: CloseReason) => void): void {
    this.#listener = listener;
    this.#tell();
  }

  /** The channel is over; only the first reason counts. Messages that wait can still be received. */
  end(reason: CloseReason): void {
    if (this.isClosed) return;
    this.#reason = reason;
    this.#tell();
  }

  /** This side closes the channel: it wants no more messages. */
  drop(reason: CloseReason): void {
    this.#waiting = [];
    this.end(reason);
  }

  #tell(): void {
    const [listener, reason] = [this.#listener, this.#reason];
    if (listener === null || reason === null) return;
    this.#listener = null;
    queueMicrotask(() => listener(reason));
  }
}
