import { once } from "node:events";
import { readFile } from "node:fs/promises";
import * as http from "node:http";
import * as https from "node:https";
import type { AddressInfo } from "node:net";
import { type Clock, systemClock } from "../../shared/clock.ts";
import { KindlingError } from "../../shared/errors.ts";
import type { Log } from "../observe/log.ts";
import { createAuthority } from "./auth.ts";
import { trackConnections } from "./connections.ts";
import { dataRoutes } from "./data-routes.ts";
import { type Hosting, hostInUrl, ownAddresses } from "./guard.ts";
import { healthRoutes } from "./health-routes.ts";
import { jobRoutes } from "./job-routes.ts";
import { pageRoutes } from "./pages.ts";
import { createRequestHandler } from "./request-handler.ts";
import type { Route } from "./route.ts";
import type { DataService, HealthService, JobService, NodeService, PeerService } from "./services.ts";
import { createUpgrades } from "./upgrades.ts";
import { CHANNEL_LIMITS, type ChannelLimits } from "./websocket-channel.ts";

export interface ServerOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** How others reach it, where that is not `http://host:port`. */
  readonly publicUrl: string | null;
  /** Paths of PEM files; with them it speaks https. */
  readonly tls: { readonly cert: string; readonly key: string } | null;
  readonly tokens: { readonly operator: string; readonly join: string };
  /** The folder with join.html, dashboard.html and assets/. */
  readonly pages: string;
  readonly limits?: Partial<ServerLimits>;
}

export interface ServerLimits {
  /** ms for a request's headers, so that connections which drip cannot take all sockets. */
  readonly headersMs: number;
  /** ms without a byte in either direction until an HTTP connection is dropped; must exceed what a node waits for a held blob. */
  readonly idleMs: number;
  readonly channel: ChannelLimits;
}

const LIMITS: ServerLimits = { headersMs: 8_000, idleMs: 120_000, channel: CHANNEL_LIMITS };
/** ms in which requests under way may end when the server closes. */
const CLOSE_MS = 1_000;

export interface Services {
  readonly jobs: JobService;
  readonly nodes: NodeService;
  readonly peers: PeerService;
  readonly data: DataService;
  readonly health: HealthService;
  readonly log: Pick<Log, "error">;
}

export interface Server {
  /** Resolves with its URL once it answers. Rejects with `PortInUse`, `CannotListen` or `BadTls`. */
  listen(): Promise<{ readonly url: string }>;
  /** Stops answering; resolves when all connections are closed. */
  close(): Promise<void>;
  /** Whether a hello's token lets its node in; a wrong one counts as a try of its address. */
  mayJoin(token: string, address: string): boolean;
}

/** All routes of the HTTP API and the pages; `/api/connect` and `/api/peer/peerjs` are upgrades and not among them. */
export function createRoutes(services: Services, pages: string): Route[] {
  return [
    ...healthRoutes(services.health),
    ...pageRoutes(pages),
    ...jobRoutes(services.jobs),
    ...dataRoutes(services.data),
  ];
}

/** The coordinator's one port: pages, HTTP API and the nodes' WebSockets. */
export function createServer(options: ServerOptions, services: Services, clock: Clock = systemClock): Server {
  const limits = { ...LIMITS, ...options.limits };
  const hosting: Hosting = { host: options.host, publicUrl: options.publicUrl, secure: options.tls !== null };
  const authority = createAuthority(options.tokens, (secret) => services.nodes.isNodeSecret(secret), clock);
  const log = (message: string): void => services.log.error(message);
  const connections = trackConnections();
  const common = { hosting, authority, ownAddresses, log };
  const upgrades = createUpgrades({
    ...common,
    nodes: services.nodes,
    peers: services.peers,
    limits: limits.channel,
    clock,
  });
  const handle = createRequestHandler({ ...common, routes: createRoutes(services, options.pages) });
  let server: http.Server | undefined;

  async function make(): Promise<http.Server> {
    const settings: http.ServerOptions = {
      headersTimeout: limits.headersMs,
      // Bodies have limits of their own: an upload may last.
      requestTimeout: 0,
      connectionsCheckingInterval: 1_000,
      keepAliveTimeout: 15_000,
      shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === "websocket",
    };
    const made =
      options.tls === null ? http.createServer(settings, handle) : await secureServer(settings, options.tls, handle);
    made.setTimeout(limits.idleMs);
    made.on("connection", connections.admit);
    made.on("upgrade", upgrades.handle);
    return made;
  }

  return {
    async listen() {
      server = await make();
      server.listen(options.port, options.host);
      await once(server, "listening").catch((cause: unknown) => {
        throw listenError(cause, options);
      });
      const { port } = server.address() as AddressInfo;
      const host = ["0.0.0.0", "::", ""].includes(options.host) ? "127.0.0.1" : hostInUrl(options.host);
      return { url: `${hosting.secure ? "https" : "http"}://${host}:${port}` };
    },
    async close() {
      upgrades.close();
      if (server === undefined || !server.listening) return;
      const closed = once(server, "close");
      server.close();
      server.closeIdleConnections();
      const timer = setTimeout(connections.destroyAll, CLOSE_MS);
      await closed;
      clearTimeout(timer);
    },
    mayJoin: (token, address) => authority.mayJoin(token, address),
  };
}

/** Rejects as `listen` would, without serving anything. */
export async function checkPort(host: string, port: number): Promise<void> {
  const probe = http.createServer();
  probe.listen(port, host);
  await once(probe, "listening").catch((cause: unknown) => {
    throw listenError(cause, { host, port });
  });
  probe.close();
  await once(probe, "close");
}

async function secureServer(
  settings: http.ServerOptions,
  tls: { readonly cert: string; readonly key: string },
  handle: http.RequestListener,
): Promise<http.Server> {
  try {
    const [cert, key] = await Promise.all([readFile(tls.cert), readFile(tls.key)]);
    return https.createServer({ ...settings, cert, key }, handle);
  } catch (cause) {
    const reason = (cause as Error).message;
    throw new KindlingError("BadTls", `Cannot use the certificate ${tls.cert} with the key ${tls.key}: ${reason}`, {
      cause,
    });
  }
}

function listenError(cause: unknown, { host, port }: Pick<ServerOptions, "host" | "port">): KindlingError {
  const { code, message } = cause as NodeJS.ErrnoException;
  return code === "EADDRINUSE"
    ? new KindlingError(
        "PortInUse",
        `Port ${port} on ${host} is in use: stop what uses it, or choose another with --port`,
        { cause },
      )
    : new KindlingError("CannotListen", `Cannot listen on ${host}, port ${port}: ${message}`, { cause });
}
