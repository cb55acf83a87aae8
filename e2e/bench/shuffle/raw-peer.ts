/** One end of plain data channels, the same in a page and in a process: frames of zeros, as fast as the channel takes them. */
export interface RawPeer {
  /** Opens a connection of this name; gives the offer with all its candidates. */
  offer(link: string): Promise<string>;
  answer(link: string, offer: string): Promise<string>;
  accept(link: string, answer: string): Promise<void>;
  opened(link: string): Promise<void>;
  /** Sends so many bytes and waits until as many have come from the other end. */
  exchange(link: string, bytes: number): Promise<void>;
}

/** Uses nothing from outside but `RTCPeerConnection`, since it is evaluated in a page. */
export function makeRawPeer(): RawPeer {
  // As the shuffle's own transfers do it (client/transport/peer).
  const FRAME_BYTES = 64 * 1024;
  const HIGH_BYTES = 1024 * 1024;
  const LOW_BYTES = 256 * 1024;
  interface Link {
    readonly connection: RTCPeerConnection;
    readonly channel: Promise<RTCDataChannel>;
    received: number;
    heard: () => void;
  }
  const links = new Map<string, Link>();
  const linkOf = (name: string): Link => {
    const link = links.get(name);
    if (link === undefined) throw new Error(`There is no connection ${name}`);
    return link;
  };

  function hold(name: string, connection: RTCPeerConnection, channel: Promise<RTCDataChannel>): void {
    const link: Link = {
      connection,
      received: 0,
      heard: () => {},
      channel: channel.then(async (raw) => {
        raw.binaryType = "arraybuffer";
        raw.onmessage = ({ data }: MessageEvent<ArrayBuffer>) => {
          link.received += data.byteLength;
          link.heard();
        };
        if (raw.readyState !== "open") await new Promise((resolve) => (raw.onopen = resolve));
        return raw;
      }),
    };
    links.set(name, link);
  }

  async function described(connection: RTCPeerConnection): Promise<string> {
    // WebRTC for Node does not choose by itself.
    const isAnswer = connection.signalingState === "have-remote-offer";
    await connection.setLocalDescription(await (isAnswer ? connection.createAnswer() : connection.createOffer()));
    while (connection.iceGatheringState !== "complete") {
      await new Promise((resolve) => (connection.onicegatheringstatechange = resolve));
    }
    return connection.localDescription?.sdp ?? "";
  }

  async function drained(channel: RTCDataChannel): Promise<void> {
    if (channel.bufferedAmount < HIGH_BYTES) return;
    // WebRTC for Node has no such event.
    const hasEvent = (channel as Partial<RTCDataChannel>).onbufferedamountlow !== undefined;
    channel.bufferedAmountLowThreshold = LOW_BYTES;
    if (hasEvent) await new Promise((resolve) => (channel.onbufferedamountlow = resolve));
    else while (channel.bufferedAmount > LOW_BYTES) await new Promise((resolve) => setTimeout(resolve, 1));
  }

  return {
    async offer(name) {
      const connection = new RTCPeerConnection();
      hold(name, connection, Promise.resolve(connection.createDataChannel("raw")));
      return described(connection);
    },
    async answer(name, sdp) {
      const connection = new RTCPeerConnection();
      hold(name, connection, new Promise((resolve) => (connection.ondatachannel = ({ channel }) => resolve(channel))));
      await connection.setRemoteDescription({ type: "offer", sdp });
      return described(connection);
    },
    accept: async (name, sdp) => linkOf(name).connection.setRemoteDescription({ type: "answer", sdp }),
    opened: async (name) => void (await linkOf(name).channel),
    async exchange(name, bytes) {
      const link = linkOf(name);
      const channel = await link.channel;
      const all = new Promise<void>((resolve) => {
        link.heard = () => {
          if (link.received < bytes) return;
          link.received -= bytes;
          link.heard = () => {};
          resolve();
        };
      });
      link.heard();
      for (let sent = 0; sent < bytes; ) {
        await drained(channel);
        const frame = new Uint8Array(Math.min(FRAME_BYTES, bytes - sent));
        channel.send(frame);
        sent += frame.byteLength;
      }
      return all;
    },
  };
}
