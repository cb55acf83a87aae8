import { createRequire } from "node:module";
import type { OpenPeerTransport, PeerTransport } from "../transport/peer/channel.ts";
import { createPeerJsTransport, type PeerJs } from "../transport/peer/peerjs-transport.ts";

/** What PeerJS expects among the globals, and Node has not. */
const GLOBALS = ["RTCPeerConnection", "RTCSessionDescription", "RTCIceCandidate"] as const;
type WebRtc = Readonly<Record<(typeof GLOBALS)[number], unknown>>;

/** Connections to other nodes from a process; undefined where there is no WebRTC for this platform. */
export function nodePeers(url: string): OpenPeerTransport | undefined {
  const require = createRequire(import.meta.url);
  try {
    // Its binary is a package of its own, of which each platform has one or none. Found now, loaded when it is first needed.
    require.resolve(`@roamhq/wrtc-${process.platform}-${process.arch}`, { paths: [require.resolve("@roamhq/wrtc")] });
  } catch {
    return undefined;
  }
  return (identity, incoming): PeerTransport => createPeerJsTransport({ url, identity, incoming, load });
}

async function load(): Promise<PeerJs> {
  const { default: webRtc } = (await import("@roamhq/wrtc")) as unknown as { readonly default: WebRtc };
  for (const name of GLOBALS) Reflect.set(globalThis, name, webRtc[name]);
  // It looks at the page's protocol, though each connection is told whether it is secure.
  if (Reflect.get(globalThis, "location") === undefined) Reflect.set(globalThis, "location", { protocol: "http:" });
  // Node takes its CommonJS build, whose exports are all one default.
  return ((await import("peerjs")) as unknown as { readonly default: PeerJs }).default;
}
