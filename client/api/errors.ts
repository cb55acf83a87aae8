import { KindlingError } from "../../shared/errors.ts";
import type { ApiError } from "../../shared/protocol/api.ts";

/** `fetch`, or what stands in for it in tests. */
export type FetchLike = (input: string, init?: RequestInit) => Promise<Response>;

/** Statuses that may pass: too early, too many, or the coordinator's own trouble. */
const mayPass = (status: number): boolean => status === 408 || status === 425 || status === 429 || status >= 500;

/** A response that is no success, as the error that the coordinator meant. */
export async function readApiError(response: Response): Promise<KindlingError> {
  const retryable = mayPass(response.status);
  const body: unknown = await response.json().catch(() => null);
  if (!isApiError(body)) {
    return new KindlingError("BadAnswer", `The coordinator answered ${response.status} without saying why`, {
      retryable,
    });
  }
  return new KindlingError(body.error.code, body.error.message, { retryable });
}

function isApiError(body: unknown): body is ApiError {
  const error = (body as Partial<ApiError> | null)?.error as Partial<ApiError["error"]> | undefined;
  return typeof error?.code === "string" && typeof error.message === "string";
}
