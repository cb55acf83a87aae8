import { readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { KindlingError } from "../../shared/errors.ts";
import type { Exchange, Method, Route } from "./route.ts";

/** Files of the pages by name; no slash and no leading dot, so that a name cannot lead elsewhere. */
const ASSET = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
/** The bundler puts a hash of the content into the name: such a file never changes. */
const HASHED = /-[A-Za-z0-9_-]{8}\.[a-z0-9]+$/;

const TYPES: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".ico": "image/x-icon",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".map": "application/json; charset=utf-8",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  ".wasm": "application/wasm",
  ".woff2": "font/woff2",
};

/** The join page and the dashboard, from the folder that the bundler wrote. */
export function pageRoutes(folder: string): Route[] {
  const page = (name: string) => (exchange: Exchange) => sendFile(exchange, join(folder, name), name, "no-cache");
  const both = (pattern: string, handle: Route["handle"]): Route[] =>
    (["GET", "HEAD"] satisfies Method[]).map((method) => ({ method, pattern, roles: "public" as const, handle }));
  return [
    ...both("/", ({ response }) => {
      response.writeHead(302, { Location: "/dashboard", "Content-Length": 0 }).end();
    }),
    ...both("/join", page("join.html")),
    ...both("/dashboard", page("dashboard.html")),
    ...both("/assets/:name", (exchange) => {
      const { name = "" } = exchange.params;
      if (!ASSET.test(name) || !(extname(name) in TYPES)) throw notThere();
      const caching = HASHED.test(name) ? "public, max-age=31536000, immutable" : "no-cache";
      return sendFile(exchange, join(folder, "assets", name), name, caching);
    }),
  ];
}

const notThere = (): KindlingError => new KindlingError("NotFound", "There is no such page");

async function sendFile({ response }: Exchange, path: string, name: string, caching: string): Promise<void> {
  const content = await readFile(path).catch((cause: unknown) => {
    if (!name.endsWith(".html")) throw notThere();
    throw new KindlingError("PagesMissing", "The pages are not built: run `npm run build`", { cause });
  });
  response.writeHead(200, {
    "Content-Type": TYPES[extname(name)],
    "Content-Length": content.byteLength,
    "Cache-Control": caching,
  });
  response.end(content);
}
