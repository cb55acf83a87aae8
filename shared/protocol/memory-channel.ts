import type { Channel, CloseReason } from "../protocol/channel.ts";
import { Mailbox } from "../protocol/mailbox.ts";

/**
 * Two ends of a channel within one thread. Messages are passed, not copied; each arrives in a later microtask, in order,
 * and a close arrives after what was sent before it.
 */
export function memoryChannelPair<Out, In>(): readonly [Channel<Out, In>, Channel<In, Out>] {
  const here = new Mailbox<In>();
  const there = new Mailbox<Out>();
  return [end<Out, In>(here, there), end<In, Out>(there, here)];
}

function end<Out, In>(own: Mailbox<In>, peer: Mailbox<Out>): Channel<Out, In> {
  return {
    send(message) {
      if (!own.isClosed) queueMicrotask(() => peer.deliver(message));
    },
    onMessage: (receiver) => own.onMessage(receiver),
    onClose: (listener) => own.onClose(listener),
    close(reason: CloseReason) {
      if (own.isClosed) return;
      own.drop(reason);
      queueMicrotask(() => peer.end(reason));
    },
  };
}
