/** A process of its own with one end of plain data channels; its parent calls it over the channel between the two. */
import webRtc from "@roamhq/wrtc";
import { makeRawPeer, type RawPeer } from "./raw-peer.ts";

export interface RawCall {
  readonly call: number;
  readonly method: keyof RawPeer;
  readonly args: readonly (string | number)[];
}

export interface RawReply {
  readonly call: number;
  readonly result?: string | undefined;
  readonly error?: string;
}

Object.assign(globalThis, { RTCPeerConnection: webRtc.RTCPeerConnection });
const peer = makeRawPeer();
const reply = (message: RawReply): void => void process.send?.(message);

process.on("message", ({ call, method, args }: RawCall) => {
  const act = peer[method] as (...args: readonly (string | number)[]) => Promise<string | undefined>;
  act(...args).then(
    (result) => reply({ call, result }),
    (error: unknown) => reply({ call, error: String(error) }),
  );
});
