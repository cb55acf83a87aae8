import { KindlingError } from "../../shared/errors.ts";
import type { JobView, LogLine, Overview, WorkloadView } from "../../shared/protocol/api.ts";
import type { SubmitRequest } from "../../shared/protocol/submit-request.ts";
import { type FetchLike, readApiError } from "./errors.ts";

export interface ApiClientOptions {
  /** Origin of the coordinator, `http://host:port`. */
  readonly url: string;
  readonly token: string;
  readonly fetch?: FetchLike;
}

/** What was stored of an upload. */
export interface StoredBlob {
  readonly hash: string;
  readonly bytes: number;
}

/**
 * The coordinator's HTTP API, for pages and the command line. Every method rejects with a KindlingError that has the
 * coordinator's code and message, or with `NoCoordinator` where none answers.
 */
export interface ApiClient {
  /** Everything that a dashboard shows; with the join token, a reduced view. */
  overview(signal?: AbortSignal): Promise<Overview>;
  workloads(): Promise<readonly WorkloadView[]>;
  /** Gives the id of the new job. */
  submit(request: Omit<SubmitRequest, "params"> & { readonly params?: Record<string, unknown> }): Promise<string>;
  jobs(): Promise<readonly JobView[]>;
  job(id: string): Promise<JobView>;
  cancel(id: string): Promise<void>;
  /** Starts a job's specification anew; gives the new job's id. */
  rerun(id: string): Promise<string>;
  /** Lines after that sequence number, oldest first. */
  logs(id: string, after?: number): Promise<readonly LogLine[]>;
  /** How a task came to be as it is, in lines. */
  story(id: string, ordinal: number, partition: number): Promise<readonly string[]>;
  /** A result file's bytes in order. */
  artifact(id: string, name: string): Promise<AsyncIterable<Uint8Array>>;
  /** Stores a file of any size. */
  uploadFile(content: Uint8Array | Blob | ReadableStream<Uint8Array>): Promise<StoredBlob>;
  /** Stores bytes whose SHA-256 is known. */
  putBlob(hash: string, content: Uint8Array): Promise<StoredBlob>;
}

export function createApiClient({ url, token, fetch: given }: ApiClientOptions): ApiClient {
  // `fetch` must not be called as another object's method.
  const fetchNow: FetchLike = given ?? ((input, init) => fetch(input, init));

  async function send(method: string, path: string, init: RequestInit = {}): Promise<Response> {
    const headers = { ...(init.headers as Record<string, string> | undefined), Authorization: `Bearer ${token}` };
    let response: Response;
    try {
      response = await fetchNow(`${url}${path}`, { ...init, method, headers, redirect: "error" });
    } catch (cause) {
      if (init.signal?.aborted === true) throw cause;
      throw new KindlingError(
        "NoCoordinator",
        `No coordinator answers at ${url}: start one with \`npx kindling start\`, or give its URL`,
        { retryable: true, cause },
      );
    }
    if (!response.ok) throw await readApiError(response);
    return response;
  }

  const get = async <T>(path: string, signal?: AbortSignal): Promise<T> =>
    (await (await send("GET", path, signal === undefined ? {} : { signal })).json()) as T;
  const post = async <T>(path: string, body: unknown): Promise<T> => {
    const init = { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } };
    return (await (await send("POST", path, init)).json()) as T;
  };
  const jobPath = (id: string): string => `/api/jobs/${encodeURIComponent(id)}`;

  return {
    overview: (signal) => get("/api/overview", signal),
    workloads: async () => (await get<{ workloads: readonly WorkloadView[] }>("/api/workloads")).workloads,
    submit: async (request) => (await post<{ id: string }>("/api/jobs", request)).id,
    jobs: async () => (await get<{ jobs: readonly JobView[] }>("/api/jobs")).jobs,
    job: (id) => get(jobPath(id)),
    async cancel(id) {
      await post(`${jobPath(id)}/cancel`, {});
    },
    rerun: async (id) => (await post<{ id: string }>(`${jobPath(id)}/rerun`, {})).id,
    logs: async (id, after = 0) =>
      (await get<{ lines: readonly LogLine[] }>(`${jobPath(id)}/logs?after=${after}`)).lines,
    story: async (id, ordinal, partition) =>
      (await get<{ lines: readonly string[] }>(`${jobPath(id)}/tasks/${ordinal}/${partition}/story`)).lines,
    async artifact(id, name) {
      const response = await send("GET", `${jobPath(id)}/artifacts/${encodeURIComponent(name)}`);
      return chunksOf(response);
    },
    async uploadFile(content) {
      // `duplex` is what fetch wants to hear for a body that is a stream.
      const init = { body: content, duplex: "half", headers: { "Content-Type": "application/octet-stream" } };
      return (await (await send("POST", "/api/files", init as RequestInit)).json()) as StoredBlob;
    },
    async putBlob(hash, content) {
      const init = { body: content as Uint8Array<ArrayBuffer> };
      return (await (await send("PUT", `/api/blobs/${hash}`, init)).json()) as StoredBlob;
    },
  };
}

/** A body piece by piece; leaving the loop early ends the download. */
async function* chunksOf(response: Response): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader();
  if (reader === undefined) return;
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) yield read.value;
  } catch (cause) {
    throw new KindlingError("Interrupted", "The download broke off: try again", { retryable: true, cause });
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
