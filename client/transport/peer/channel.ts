import type { JobId } from "../../../shared/ids.ts";
import type { PeerIdentity } from "../../../shared/protocol/messages.ts";

/** A reliable, ordered connection to another node that carries frames of bytes. */
export interface PeerChannel {
  /** Bytes that were sent and have not left yet. */
  readonly bufferedBytes: number;
  /** Takes over the frame's memory. Does nothing once the channel is closed. */
  send(frame: Uint8Array<ArrayBuffer>): void;
  /** The one receiver; frames that came before it was set are kept for it. */
  onFrame(receiver: (frame: Uint8Array) => void): void;
  /** Called whenever `bufferedBytes` has fallen to LOW_BYTES. */
  onDrain(listener: () => void): void;
  /** Called once, also when this side closed it. */
  onClose(listener: () => void): void;
  close(): void;
}

/** A sender stops above the first and goes on below the second: full enough for the network, little enough to cancel. */
export const HIGH_BYTES = 1024 * 1024;
export const LOW_BYTES = 256 * 1024;

/** What goes with an offer. The coordinator lets none pass that it has not allowed, so the other side may believe it. */
export interface Introduction {
  readonly job: JobId;
  readonly ticket: string;
}

export type Incoming = (peer: string, job: JobId, channel: PeerChannel) => void;

/** Makes connections to other nodes: through PeerJS, in this thread or in a tab's page. */
export interface PeerTransport {
  /** Is at the signalling server from now on, to take connections. */
  listen(): void;
  /** Rejects when there is no connection by the time that `signal` aborts. */
  connect(peer: string, introduction: Introduction, signal: AbortSignal): Promise<PeerChannel>;
  /** Closes all channels. */
  close(): void;
}

/** Opens a transport under an identity of the coordinator's; `incoming` takes what others open. */
export type OpenPeerTransport = (identity: PeerIdentity, incoming: Incoming) => PeerTransport;
