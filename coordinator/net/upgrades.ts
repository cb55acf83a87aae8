import { type IncomingMessage, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import type { Clock } from "../../shared/clock.ts";
import { KindlingError } from "../../shared/errors.ts";
import type { CoordinatorChannel } from "../../shared/protocol/channel.ts";
import { MAX_FRAME_BYTES } from "../../shared/protocol/messages.ts";
import type { Authority } from "./auth.ts";
import { checkHost, checkOrigin, type Hosting } from "./guard.ts";
import { addressOf } from "./request-handler.ts";
import type { NodeService } from "./services.ts";
import { type ChannelLimits, coordinatorChannel } from "./websocket-channel.ts";

/** Fragments that one message may come in; ours come in one. */
const MAX_FRAGMENTS = 1_024;
/** ms that a peer has to answer a close before its socket is destroyed. */
const CLOSE_MS = 2_000;

export interface UpgradeOptions {
  readonly hosting: Hosting;
  readonly ownAddresses: () => string[];
  readonly authority: Authority;
  readonly nodes: NodeService;
  readonly limits: ChannelLimits;
  readonly clock: Clock;
  readonly log: (message: string) => void;
}

export interface Upgrades {
  handle(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Closes all connections, telling the nodes to come back later. */
  close(): void;
}

/** Connections of nodes: `GET /api/connect` becomes a channel. The token comes inside the hello, so none is needed here. */
export function createUpgrades(options: UpgradeOptions): Upgrades {
  const { hosting, ownAddresses, authority, nodes, limits, clock, log } = options;
  // A constant of its own: the package's types do not know its newest options.
  const settings = {
    noServer: true,
    clientTracking: false,
    maxPayload: MAX_FRAME_BYTES,
    maxFragments: MAX_FRAGMENTS,
    perMessageDeflate: false,
    closeTimeout: CLOSE_MS,
  };
  const server = new WebSocketServer(settings);
  const channels = new Set<CoordinatorChannel>();

  function check(request: IncomingMessage): void {
    const host = checkHost(request.headers.host, hosting, ownAddresses);
    checkOrigin(request.headers.origin, host, hosting);
    if (request.url !== "/api/connect") throw new KindlingError("NotFound", "Nodes connect at /api/connect");
    if (authority.isBlocked(addressOf(request))) {
      throw new KindlingError("TooManyTries", "Too many wrong tokens from this address: wait a minute");
    }
  }

  return {
    handle(request, socket, head) {
      // A peer that breaks off while the handshake is under way.
      socket.on("error", () => socket.destroy());
      try {
        check(request);
      } catch (error) {
        refuse(socket, error);
        return;
      }
      server.handleUpgrade(request, socket, head, (webSocket) => {
        const channel = coordinatorChannel(webSocket, limits, clock, (error) => {
          log(`A node's message failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
        });
        channels.add(channel);
        webSocket.once("close", () => channels.delete(channel));
        nodes.connect(channel, addressOf(request));
      });
    },
    close() {
      for (const channel of channels) channel.close({ kind: "stopping", detail: "The coordinator stops" });
      server.close();
    },
  };
}

const STATUS: Readonly<Record<string, number>> = { NotFound: 404, TooManyTries: 429 };

function refuse(socket: Duplex, error: unknown): void {
  const status = (error instanceof KindlingError ? STATUS[error.code] : undefined) ?? 403;
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
