import type { ServerResponse } from "node:http";
import { KindlingError } from "../../shared/errors.ts";
import type { ApiError } from "../../shared/protocol/api.ts";
import { sendJson } from "./respond.ts";

/** The HTTP status of each error code that a request can end with. What is not here is the coordinator's own fault: 500. */
const STATUS: Readonly<Record<string, number>> = {
  BadRequest: 400,
  BadInput: 400,
  BadId: 400,
  BadParams: 400,
  BadUsage: 400,
  BadWorkload: 400,
  HashMismatch: 400,
  InputChanged: 400,
  NoSuchFile: 400,
  UnknownWorkload: 400,
  Unauthorized: 401,
  ForeignHost: 403,
  ForeignOrigin: 403,
  Forbidden: 403,
  NotFound: 404,
  BlobMissing: 404,
  UnknownSource: 404,
  MethodNotAllowed: 405,
  Timeout: 408,
  Conflict: 409,
  JobEnded: 409,
  TooLarge: 413,
  UnsupportedType: 415,
  BadRange: 416,
  TooManyTries: 429,
  InputNotServed: 502,
  InputUnavailable: 502,
  SourceUnavailable: 502,
  PagesMissing: 503,
  Stopping: 503,
  StorageFailed: 503,
  StorageFull: 507,
};

const RETRY_AFTER_SECONDS = 60;

/** ms in which a refused body may still run out, so that its sender reads the answer instead of a broken connection. */
const REST_MS = 2_000;

function dropRest({ req }: ServerResponse): void {
  if (req.complete) return;
  req.resume();
  const timer = setTimeout(() => req.destroy(), REST_MS).unref();
  req.once("close", () => clearTimeout(timer));
}

/** Answers with an error, or breaks the connection where an answer has begun. */
export function sendError(response: ServerResponse, error: unknown, log: (message: string) => void): void {
  const known = error instanceof KindlingError ? error : null;
  const status = (known && STATUS[known.code]) ?? 500;
  if (status === 500) log(error instanceof Error ? (error.stack ?? error.message) : String(error));
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  if (status === 401) response.setHeader("WWW-Authenticate", 'Bearer realm="kindling"');
  if (status === 429) response.setHeader("Retry-After", RETRY_AFTER_SECONDS);
  dropRest(response);
  const body: ApiError = {
    error: known
      ? { code: known.code, message: known.message }
      : { code: "Internal", message: "The coordinator failed; its log tells why" },
  };
  sendJson(response, status, body);
}
