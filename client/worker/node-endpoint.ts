import type { Transferable } from "node:worker_threads";
import type { Endpoint } from "comlink";

/** A worker thread as its parent has it, or the parent's port as the thread has it. */
interface ThreadPort {
  postMessage(message: unknown, transfers?: readonly Transferable[]): void;
  on(event: "message", receive: (data: unknown) => void): unknown;
  off(event: "message", receive: (data: unknown) => void): unknown;
}

/** A Node thread's end of its port as Comlink wants it: with DOM events. */
export function nodeEndpoint(port: ThreadPort): Endpoint {
  const receivers = new Map<EventListenerOrEventListenerObject, (data: unknown) => void>();
  return {
    postMessage: (message: unknown, transfers?: Transferable[]) => port.postMessage(message, transfers),
    addEventListener(_type, listener) {
      const receive = (data: unknown): void => {
        const event = { data } as MessageEvent;
        if (typeof listener === "function") listener(event);
        else listener.handleEvent(event);
      };
      receivers.set(listener, receive);
      port.on("message", receive);
    },
    removeEventListener(_type, listener) {
      const receive = receivers.get(listener);
      if (receive !== undefined) port.off("message", receive);
      receivers.delete(listener);
    },
  };
}
