import type { JobId } from "../../shared/ids.ts";
import type { PeerIdentity } from "../../shared/protocol/messages.ts";
import {
  HIGH_BYTES,
  type Incoming,
  type Introduction,
  LOW_BYTES,
  type OpenPeerTransport,
  type PeerChannel,
  type PeerTransport,
} from "../transport/peer/channel.ts";

/**
 * A tab's worker has no RTCPeerConnection, so its page holds the connections, and frames pass between the two over a port, by transfer.
 * The page says what has left, so that the worker knows how much waits on the way out.
 */

type ToPage =
  | { readonly type: "open"; readonly identity: PeerIdentity }
  | { readonly type: "listen" }
  | { readonly type: "shut" }
  | { readonly type: "connect"; readonly call: number; readonly peer: string; readonly introduction: Introduction }
  | { readonly type: "abandon"; readonly call: number }
  | { readonly type: "frame"; readonly channel: number; readonly frame: Uint8Array<ArrayBuffer> }
  | { readonly type: "close"; readonly channel: number };

type ToWorker =
  | { readonly type: "incoming"; readonly channel: number; readonly peer: string; readonly job: JobId }
  | { readonly type: "connected"; readonly call: number; readonly channel: number }
  | { readonly type: "failed"; readonly call: number; readonly message: string }
  | { readonly type: "frame"; readonly channel: number; readonly frame: Uint8Array }
  /** So many bytes have left the page in all. */
  | { readonly type: "left"; readonly channel: number; readonly bytes: number }
  | { readonly type: "closed"; readonly channel: number };

/** Holds connections in the page for the worker at the other end of the port; `transportOf` makes them. */
export function servePeers(port: MessagePort, transportOf: OpenPeerTransport): void {
  let transport: PeerTransport | undefined;
  let channels = new Map<number, PeerChannel>();
  const calls = new Map<number, AbortController>();
  let numbered = 0;
  const tell = (message: ToWorker, transfers: ArrayBuffer[] = []): void => port.postMessage(message, transfers);

  /** Bytes that came from the worker for each channel. */
  const taken = new Map<number, number>();

  function hold(channel: PeerChannel): number {
    const id = ++numbered;
    channels.set(id, channel);
    taken.set(id, 0);
    channel.onDrain(() => report(id, channel));
    channel.onClose(() => {
      channels.delete(id);
      taken.delete(id);
      tell({ type: "closed", channel: id });
    });
    return id;
  }

  function report(id: number, channel: PeerChannel): void {
    tell({ type: "left", channel: id, bytes: (taken.get(id) ?? 0) - channel.bufferedBytes });
  }

  /** Only now, since the worker must know the channel first. */
  function pour(id: number, channel: PeerChannel): void {
    channel.onFrame((frame) => {
      const { buffer } = frame;
      if (buffer instanceof ArrayBuffer) tell({ type: "frame", channel: id, frame }, [buffer]);
    });
  }

  function shut(): void {
    transport?.close();
    transport = undefined;
    for (const channel of channels.values()) channel.close();
    channels = new Map();
  }

  const handlers: { [K in ToPage["type"]]: (message: Extract<ToPage, { type: K }>) => void } = {
    open({ identity }) {
      shut();
      transport = transportOf(identity, (peer, job, channel) => {
        const id = hold(channel);
        tell({ type: "incoming", channel: id, peer, job });
        pour(id, channel);
      });
    },
    listen: () => transport?.listen(),
    shut,
    connect({ call, peer, introduction }) {
      const controller = new AbortController();
      calls.set(call, controller);
      const connecting = transport?.connect(peer, introduction, controller.signal);
      Promise.resolve(connecting)
        .then((channel) => {
          if (channel === undefined) throw new Error("The node has left");
          const id = hold(channel);
          tell({ type: "connected", call, channel: id });
          pour(id, channel);
        })
        .catch((error: unknown) => tell({ type: "failed", call, message: String(error) }))
        .finally(() => calls.delete(call));
    },
    abandon: ({ call }) => calls.get(call)?.abort(new Error("No connection in time")),
    frame({ channel: id, frame }) {
      const channel = channels.get(id);
      if (channel === undefined) return;
      taken.set(id, (taken.get(id) ?? 0) + frame.byteLength);
      channel.send(frame);
      // While little waits no event tells of it.
      if (channel.bufferedBytes <= LOW_BYTES) report(id, channel);
    },
    close: ({ channel }) => channels.get(channel)?.close(),
  };
  port.onmessage = ({ data }: MessageEvent<ToPage>) => {
    const handle = handlers[data.type] as (message: ToPage) => void;
    handle(data);
  };
}

interface RemoteChannel {
  readonly channel: PeerChannel;
  frame(frame: Uint8Array): void;
  left(bytes: number): void;
  closed(): void;
}

/** The worker's end: a transport whose connections the page holds. */
export function peersOverPort(port: MessagePort): OpenPeerTransport {
  const tell = (message: ToPage, transfers: ArrayBuffer[] = []): void => port.postMessage(message, transfers);
  const channels = new Map<number, RemoteChannel>();
  const calls = new Map<number, PromiseWithResolvers<PeerChannel>>();
  let incoming: Incoming | undefined;
  let numbered = 0;

  function hold(id: number): PeerChannel {
    const remote = remoteChannel(id, tell, () => channels.delete(id));
    channels.set(id, remote);
    return remote.channel;
  }

  const handlers: { [K in ToWorker["type"]]: (message: Extract<ToWorker, { type: K }>) => void } = {
    incoming({ channel, peer, job }) {
      if (incoming === undefined) tell({ type: "close", channel });
      else incoming(peer, job, hold(channel));
    },
    connected({ call, channel }) {
      const waiting = calls.get(call);
      if (waiting === undefined) tell({ type: "close", channel });
      else waiting.resolve(hold(channel));
    },
    failed: ({ call, message }) => calls.get(call)?.reject(new Error(message)),
    frame: ({ channel, frame }) => channels.get(channel)?.frame(frame),
    left: ({ channel, bytes }) => channels.get(channel)?.left(bytes),
    closed: ({ channel }) => channels.get(channel)?.closed(),
  };
  port.onmessage = ({ data }: MessageEvent<ToWorker>) => {
    const handle = handlers[data.type] as (message: ToWorker) => void;
    handle(data);
  };

  return (identity, takeIncoming) => {
    incoming = takeIncoming;
    tell({ type: "open", identity });
    return {
      listen: () => tell({ type: "listen" }),
      async connect(peer, introduction, signal) {
        signal.throwIfAborted();
        const call = ++numbered;
        const waiting = Promise.withResolvers<PeerChannel>();
        calls.set(call, waiting);
        const abandon = (): void => {
          tell({ type: "abandon", call });
          waiting.reject(signal.reason);
        };
        signal.addEventListener("abort", abandon, { once: true });
        tell({ type: "connect", call, peer, introduction });
        try {
          return await waiting.promise;
        } finally {
          calls.delete(call);
          signal.removeEventListener("abort", abandon);
        }
      },
      close() {
        incoming = undefined;
        tell({ type: "shut" });
      },
    };
  };
}

function remoteChannel(
  id: number,
  tell: (message: ToPage, transfers?: ArrayBuffer[]) => void,
  gone: () => void,
): RemoteChannel {
  let given = 0;
  let left = 0;
  let isClosed = false;
  let early: Uint8Array[] = [];
  let receive: ((frame: Uint8Array) => void) | undefined;
  let drained = (): void => {};
  let tellEnd: (() => void) | undefined;
  const end = (): void => {
    if (isClosed) return;
    isClosed = true;
    early = [];
    gone();
    tellEnd?.();
  };
  return {
    channel: {
      get bufferedBytes() {
        return isClosed ? 0 : given - left;
      },
      send(frame) {
        if (isClosed) return;
        given += frame.byteLength;
        tell({ type: "frame", channel: id, frame }, [frame.buffer]);
      },
      onFrame(receiver) {
        receive = receiver;
        for (const frame of early.splice(0)) receiver(frame);
      },
      onDrain(listener) {
        drained = listener;
      },
      onClose(listener) {
        if (isClosed) queueMicrotask(listener);
        else tellEnd = listener;
      },
      close() {
        if (!isClosed) tell({ type: "close", channel: id });
        end();
      },
    },
    frame(frame) {
      if (isClosed) return;
      if (receive === undefined) early.push(frame);
      else receive(frame);
    },
    left(bytes) {
      left = bytes;
      if (given - left < HIGH_BYTES) drained();
    },
    closed: end,
  };
}
