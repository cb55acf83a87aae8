import { HIGH_BYTES, LOW_BYTES, type PeerChannel } from "../channel.ts";

/** One end of a connection in memory. What it sends waits until `deliver`. */
export class FakeChannel implements PeerChannel {
  /** Every frame that was sent, also those under way. */
  readonly sent: Uint8Array[] = [];
  isClosed = false;
  /** The largest `bufferedBytes` that there was. */
  most = 0;
  #other: FakeChannel | undefined;
  #underWay: Uint8Array[] = [];
  #receive: (frame: Uint8Array) => void = () => {};
  #drain = (): void => {};
  #closed = (): void => {};

  static pair(): [FakeChannel, FakeChannel] {
    const [one, two] = [new FakeChannel(), new FakeChannel()];
    one.#other = two;
    two.#other = one;
    return [one, two];
  }

  get bufferedBytes(): number {
    return this.#underWay.reduce((sum, { byteLength }) => sum + byteLength, 0);
  }

  send(frame: Uint8Array<ArrayBuffer>): void {
    if (this.isClosed) return;
    this.sent.push(frame);
    this.#underWay.push(frame);
    this.most = Math.max(this.most, this.bufferedBytes);
  }

  onFrame(receiver: (frame: Uint8Array) => void): void {
    this.#receive = receiver;
  }

  onDrain(listener: () => void): void {
    this.#drain = listener;
  }

  onClose(listener: () => void): void {
    this.#closed = listener;
  }

  /** Both ends learn of it, as after a break that both notice. */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#underWay = [];
    this.#closed();
    this.#other?.close();
  }

  /** Brings up to `most` frames to the other end; false if none was under way. */
  deliver(most = Number.POSITIVE_INFINITY): boolean {
    let delivered = 0;
    for (; delivered < most; delivered++) {
      const wasHigh = this.bufferedBytes > LOW_BYTES;
      const frame = this.#underWay.shift();
      if (frame === undefined) break;
      if (this.#other !== undefined) this.#other.#receive(frame);
      if (wasHigh && this.bufferedBytes <= LOW_BYTES) this.#drain();
    }
    return delivered > 0;
  }

  /** Gives this end a frame that nobody sent. */
  inject(frame: Uint8Array): void {
    this.#receive(frame);
  }
}

/** Delivers in both directions until nothing is under way. */
export function deliverAll(...channels: readonly FakeChannel[]): void {
  while (channels.map((channel) => channel.deliver()).some(Boolean));
}

/** Within what a sender may let wait: one frame beyond the mark at which it stops. */
export const MOST_WAITING = HIGH_BYTES + 64 * 1024;
