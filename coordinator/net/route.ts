import type { IncomingMessage, ServerResponse } from "node:http";

/** What a bearer token proves: the operator runs the coordinator, a volunteer has the join link, a node has joined. */
export type Role = "operator" | "volunteer" | "node";
export type Method = "GET" | "HEAD" | "POST" | "PUT";

/** One request in a handler's hands, its guards passed. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The decoded parts of the path that the pattern names. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** Null on public routes. */
  readonly role: Role | null;
  /** Aborted when the requester has gone. */
  readonly signal: AbortSignal;
}

export interface Route {
  readonly method: Method;
  /** Parts between slashes; `:name` takes any one part. */
  readonly pattern: string;
  /** Who may; `public` needs no token. */
  readonly roles: readonly Role[] | "public";
  /** Answers, or throws a KindlingError that becomes the answer. */
  handle(exchange: Exchange): void | Promise<void>;
}

export const changesState = (method: string): boolean => method !== "GET" && method !== "HEAD";

export type Match =
  | { readonly kind: "route"; readonly route: Route; readonly params: Readonly<Record<string, string>> }
  /** The path is there, for other methods. */
  | { readonly kind: "method"; readonly allowed: readonly Method[] }
  | { readonly kind: "none" };

/** Finds the route for a path as it came, still encoded. A part that decodes to nothing sensible matches nothing. */
export function matchRoute(routes: readonly Route[], method: string, path: string): Match {
  const parts = decodeParts(path);
  if (parts === null) return { kind: "none" };
  const fitting = routes.flatMap((route) => {
    const params = fit(route.pattern, parts);
    return params === null ? [] : [{ kind: "route" as const, route, params }];
  });
  const found = fitting.find(({ route }) => route.method === method);
  if (found !== undefined) return found;
  return fitting.length === 0
    ? { kind: "none" }
    : { kind: "method", allowed: fitting.map(({ route }) => route.method) };
}

function decodeParts(path: string): readonly string[] | null {
  try {
    return path.split("/").map(decodeURIComponent);
  } catch {
    return null;
  }
}

function fit(pattern: string, parts: readonly string[]): Record<string, string> | null {
  const names = pattern.split("/");
  if (names.length !== parts.length) return null;
  const params: Record<string, string> = {};
  for (const [index, name] of names.entries()) {
    const part = parts[index] ?? "";
    if (!name.startsWith(":")) {
      if (name !== part) return null;
    } else if (part === "") {
      return null;
    } else {
      params[name.slice(1)] = part;
    }
  }
  return params;
}
