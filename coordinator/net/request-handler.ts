import type { IncomingMessage, ServerResponse } from "node:http";
import { KindlingError } from "../../shared/errors.ts";
import { sendError } from "./api-errors.ts";
import type { Authority } from "./auth.ts";
import { checkHost, checkOrigin, type Hosting } from "./guard.ts";
import { changesState, matchRoute, type Role, type Route } from "./route.ts";
import { securityHeaders } from "./security-headers.ts";

export interface RequestHandlerOptions {
  readonly routes: readonly Route[];
  readonly hosting: Hosting;
  readonly authority: Authority;
  readonly ownAddresses: () => string[];
  /** What went wrong inside; never holds a token. */
  readonly log: (message: string) => void;
}

export const addressOf = (request: IncomingMessage): string => request.socket.remoteAddress ?? "unknown";

/** Guards, then the route: host, origin, path, token, in this order, so that nothing foreign gets as far as a token. */
export function createRequestHandler(options: RequestHandlerOptions) {
  const { routes, hosting, authority, ownAddresses, log } = options;

  async function handle(request: IncomingMessage, response: ServerResponse, signal: AbortSignal): Promise<void> {
    const method = request.method ?? "GET";
    const host = checkHost(request.headers.host, hosting, ownAddresses);
    response.setHeaders(new Headers(securityHeaders(host, hosting.secure)));
    if (changesState(method)) checkOrigin(request.headers.origin, host, hosting);
    const [path = "", query = ""] = (request.url ?? "").split("?", 2);
    const match = matchRoute(routes, method, path);
    if (match.kind === "none") throw new KindlingError("NotFound", "There is nothing at this address");
    if (match.kind === "method") {
      response.setHeader("Allow", match.allowed.join(", "));
      throw new KindlingError("MethodNotAllowed", `Use ${match.allowed.join(" or ")} here`);
    }
    const role = authorize(match.route, request);
    await match.route.handle({
      request,
      response,
      params: match.params,
      query: new URLSearchParams(query),
      role,
      signal,
    });
  }

  function authorize({ roles }: Route, request: IncomingMessage): Role | null {
    if (roles === "public") return null;
    const role = authority.roleOf(request.headers.authorization, addressOf(request));
    if (!roles.includes(role)) throw new KindlingError("Forbidden", `This needs the token of: ${roles.join(", ")}`);
    return role;
  }

  return (request: IncomingMessage, response: ServerResponse): void => {
    const gone = new AbortController();
    response.once("close", () => {
      if (!response.writableFinished) gone.abort(new KindlingError("Aborted", "The requester has gone"));
    });
    handle(request, response, gone.signal).catch((error: unknown) => {
      if (!gone.signal.aborted) sendError(response, error, log);
    });
  };
}
