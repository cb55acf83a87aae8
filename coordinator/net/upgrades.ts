import { type IncomingMessage, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import type { Clock } from "../../shared/clock.ts";
import { KindlingError } from "../../shared/errors.ts";
import { CLOSE_CODES, type CoordinatorChannel } from "../../shared/protocol/channel.ts";
import { closeDetail } from "../../shared/protocol/close-codes.ts";
import { MAX_FRAME_BYTES } from "../../shared/protocol/messages.ts";
import type { Authority } from "./auth.ts";
import { checkHost, checkOrigin, type Hosting } from "./guard.ts";
import { addressOf } from "./request-handler.ts";
import { FailureCounter } from "./rate-limit.ts";
import type { NodeService, PeerService } from "./services.ts";
import { type Line, Switchboard } from "./switchboard.ts";
import { type ChannelLimits, coordinatorChannel } from "./websocket-channel.ts";

/** Fragments that one message may come in; ours come in one. */
const MAX_FRAGMENTS = 1_024;
/** A message to the signalling server; a session description has a few kilobytes. */
const MAX_SIGNAL_BYTES = 64 * 1024;
/** Wrong signalling tokens of one address. */
const TRIES_PER_MINUTE = 10;
/** ms that a peer has to answer a close before its socket is destroyed. */
const CLOSE_MS = 2_000;

export interface UpgradeOptions {
  readonly hosting: Hosting;
  readonly ownAddresses: () => string[];
  readonly authority: Authority;
  readonly nodes: NodeService;
  readonly peers: PeerService;
  readonly limits: ChannelLimits;
  readonly clock: Clock;
  readonly log: (message: string) => void;
}

export interface Upgrades {
  handle(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Closes all connections, telling the nodes to come back later. */
  close(): void;
}

/**
 * Connections of nodes: `GET /api/connect` becomes a channel, whose token comes inside the hello, and `GET /api/peer/peerjs` a line to the
 * signalling server.
 */
export function createUpgrades(options: UpgradeOptions): Upgrades {
  const { hosting, ownAddresses, authority, nodes, peers, limits, clock, log } = options;
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
  const signalling = new WebSocketServer({ ...settings, maxPayload: MAX_SIGNAL_BYTES });
  const switchboard = new Switchboard(peers, clock);
  const channels = new Set<CoordinatorChannel>();
  const lines = new Set<Line>();
  const strangers = new FailureCounter(TRIES_PER_MINUTE, clock);

  function check(request: IncomingMessage): void {
    const host = checkHost(request.headers.host, hosting, ownAddresses);
    checkOrigin(request.headers.origin, host, hosting);
  }

  function checkNode(request: IncomingMessage): void {
    if (authority.isBlocked(addressOf(request))) throw tooMany();
  }

  /** The id that it proves to be. */
  function checkPeer(request: IncomingMessage, query: URLSearchParams): string {
    const id = query.get("id") ?? "";
    const address = addressOf(request);
    if (switchboard.admits(id, query.get("token") ?? "")) return id;
    if (strangers.isBlocked(address)) throw tooMany();
    strangers.add(address);
    throw new KindlingError("Unauthorized", "No node of that id and token is joined");
  }

  function connectNode(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    checkNode(request);
    server.handleUpgrade(request, socket, head, (webSocket) => {
      const channel = coordinatorChannel(webSocket, limits, clock, (error) => {
        log(`A node's message failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
      });
      channels.add(channel);
      webSocket.once("close", () => channels.delete(channel));
      nodes.connect(channel, addressOf(request));
    });
  }

  function connectPeer(request: IncomingMessage, query: URLSearchParams, socket: Duplex, head: Buffer): void {
    const id = checkPeer(request, query);
    signalling.handleUpgrade(request, socket, head, (webSocket) => {
      const line = signalLine(webSocket, limits.sendBufferBytes);
      const { receive, gone } = switchboard.connect(id, line);
      lines.add(line);
      webSocket.on("message", (data, isBinary) => {
        // What comes after the line was closed is of no more interest; binary frames are no JSON.
        if (webSocket.readyState === webSocket.OPEN) receive(isBinary ? "" : String(data));
      });
      webSocket.once("close", () => {
        lines.delete(line);
        gone();
      });
    });
  }

  return {
    handle(request, socket, head) {
      // A peer that breaks off while the handshake is under way.
      socket.on("error", () => socket.destroy());
      try {
        check(request);
        const [path, query] = (request.url ?? "").split("?", 2);
        if (path === "/api/connect" && query === undefined) connectNode(request, socket, head);
        else if (path === "/api/peer/peerjs") connectPeer(request, new URLSearchParams(query), socket, head);
        else throw new KindlingError("NotFound", "Nodes connect at /api/connect");
      } catch (error) {
        refuse(socket, error);
      }
    },
    close() {
      for (const channel of channels) channel.close({ kind: "stopping", detail: "The coordinator stops" });
      for (const line of lines) line.close("stopping", "The coordinator stops");
      server.close();
      signalling.close();
    },
  };
}

/** A signalling connection, which a peer that does not read loses. */
function signalLine(socket: WebSocket, maxBufferedBytes: number): Line {
  const line: Line = {
    send(text) {
      if (socket.bufferedAmount > maxBufferedBytes) line.close("limit", "It does not read what it is sent");
      else if (socket.readyState === socket.OPEN) socket.send(text);
    },
    close: (kind, detail) => socket.close(CLOSE_CODES[kind], closeDetail(detail)),
  };
  // Too long messages and broken connections: the package closes the socket itself.
  socket.on("error", () => {});
  return line;
}

const tooMany = (): KindlingError =>
  new KindlingError("TooManyTries", "Too many wrong tokens from this address: wait a minute");

const STATUS: Readonly<Record<string, number>> = { NotFound: 404, TooManyTries: 429, Unauthorized: 401 };

function refuse(socket: Duplex, error: unknown): void {
  const status = (error instanceof KindlingError ? STATUS[error.code] : undefined) ?? 403;
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
