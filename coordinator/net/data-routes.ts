import { KindlingError } from "../../shared/errors.ts";
import { blobHash, jobId } from "../../shared/ids.ts";
import { readUpload } from "./body.ts";
import { type ByteRange, parseRange } from "./range.ts";
import { sendBytes, sendJson } from "./respond.ts";
import type { Exchange, Route } from "./route.ts";
import type { DataService } from "./services.ts";

/** The largest blob that a node may store: no output chunk comes near it. */
const MAX_BLOB_BYTES = 2 * 1024 ** 3;

/** Bytes for nodes (blobs, sources) and from the operator (files). */
export function dataRoutes(data: DataService): Route[] {
  const nodes = ["node", "operator"] as const;
  return [
    {
      method: "GET",
      pattern: "/api/blobs/:hash",
      roles: nodes,
      async handle(exchange) {
        const hash = blobHash(exchange.params["hash"] ?? "");
        const { bytes } = await data.locate(hash, exchange.signal);
        const range = startRange(exchange, bytes, { "Cache-Control": "private, max-age=31536000, immutable" });
        await sendBytes(exchange.response, data.blobs.read(hash, range.start, range.end), exchange.signal);
      },
    },
    {
      method: "HEAD",
      pattern: "/api/blobs/:hash",
      roles: nodes,
      async handle({ params, response }) {
        const hash = blobHash(params["hash"] ?? "");
        const bytes = await data.blobs.size(hash);
        if (bytes === null) throw new KindlingError("BlobMissing", `There is no blob ${hash}`);
        response.writeHead(200, { "Content-Length": bytes, "Accept-Ranges": "bytes" }).end();
      },
    },
    {
      method: "PUT",
      pattern: "/api/blobs/:hash",
      roles: nodes,
      async handle({ params, request, response, role }) {
        const hash = blobHash(params["hash"] ?? "");
        const length = Number(request.headers["content-length"] ?? Number.POSITIVE_INFINITY);
        const content = readUpload(request, MAX_BLOB_BYTES);
        if (role === "node") {
          const stored = await data.receive(hash, length, content);
          sendJson(response, stored ? 201 : 200, stored ?? {});
        } else {
          const stored = await data.blobs.put(content, hash);
          data.stored(hash);
          sendJson(response, 201, stored);
        }
      },
    },
    {
      method: "POST",
      pattern: "/api/files",
      roles: ["operator"],
      async handle({ request, response }) {
        const stored = await data.blobs.put(readUpload(request, Number.POSITIVE_INFINITY));
        data.stored(stored.hash);
        sendJson(response, 201, stored);
      },
    },
    {
      method: "GET",
      pattern: "/api/jobs/:id/sources/:ordinal",
      roles: ["node"],
      async handle(exchange) {
        const id = jobId(exchange.params["id"] ?? "");
        const ordinal = exchange.params["ordinal"] ?? "";
        const source = /^\d{1,9}$/.test(ordinal) ? data.source(id, Number(ordinal)) : undefined;
        if (source === undefined) throw new KindlingError("UnknownSource", `Job ${id} has no source ${ordinal} open`);
        const range = startRange(exchange, source.bytes, { "Cache-Control": "no-store" });
        await sendBytes(exchange.response, source.read(range.start, range.end), exchange.signal);
      },
    },
  ];
}

/** Sets the status and headers for a body of `bytes`, or for the part of it that the request names. */
function startRange({ request, response }: Exchange, bytes: number, headers: Record<string, string>): ByteRange {
  const range = parseRange(request.headers.range, bytes);
  response.statusCode = range.partial ? 206 : 200;
  response.setHeaders(
    new Headers({
      ...headers,
      "Content-Type": "application/octet-stream",
      "Accept-Ranges": "bytes",
      "Content-Length": `${range.end - range.start}`,
      ...(range.partial ? { "Content-Range": `bytes ${range.start}-${range.end - 1}/${bytes}` } : {}),
    }),
  );
  return range;
}
