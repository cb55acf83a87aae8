import type { KindlingError } from "../../shared/errors.ts";
import { type FetchLike, readApiError } from "../api/errors.ts";
import { type Body, bodyOf } from "./body.ts";

/** What came for a request, as far as its head: the body is still to be read. */
export interface Answer {
  readonly status: number;
  /** Bytes of the body. */
  readonly bytes: number;
  readonly body: Body;
}

/** Asks for a resource with these headers. Rejects with `Refused` where the coordinator says no. */
export type Ask = (url: string, headers: Readonly<Record<string, string>>, signal: AbortSignal) => Promise<Answer>;

/** The coordinator's refusal: asking again at once would bring the same. */
export class Refused extends Error {
  readonly error: KindlingError;
  constructor(error: KindlingError) {
    super(error.message);
    this.error = error;
  }
}

/** Asks by fetch. */
export const askByFetch =
  (fetch: FetchLike): Ask =>
  async (url, headers, signal) => {
    // The node has caches of its own.
    const response = await fetch(url, { headers, signal, cache: "no-store", redirect: "error" });
    if (!response.ok) throw new Refused(await readApiError(response));
    const bytes = Number(response.headers.get("Content-Length") ?? 0);
    return { status: response.status, bytes, body: bodyOf(response) };
  };
