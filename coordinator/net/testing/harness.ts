import { mkdtemp, mkdir, rm, writeFile } from "node:fs/promises";
import * as http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../../shared/clock.ts";
import { KindlingError } from "../../../shared/errors.ts";
import { type JobId, jobId } from "../../../shared/ids.ts";
import type { JobView } from "../../../shared/protocol/api.ts";
import type { SubmitRequest } from "../../../shared/protocol/submit-request.ts";
import type { CoordinatorChannel } from "../../../shared/protocol/channel.ts";
import { MemoryBlobs } from "../../store/memory-blobs.ts";
import { createServer, type Server, type ServerOptions, type Services } from "../server.ts";

export const TOKENS = { operator: "operator-token-of-the-tests", join: "join-token-of-the-tests-0" };
export const NODE_SECRET = "secret-of-a-joined-node";
export const JOB = jobId("j-1");
/** Source 0 of the job. */
export const SOURCE = Uint8Array.from({ length: 300_000 }, (_, index) => index % 253);
/** A file beside the pages' folder that must never be served. */
export const SECRET_TEXT = "not for the public";

const aJobView = (state: JobView["state"]): JobView => ({
  id: JOB,
  workload: "pi",
  state,
  createdAt: 1,
  seconds: 2,
  unit: "samples",
  params: { secret: "param" },
  stages: [],
  shares: [],
  metrics: { sum: 12345678901234567890n, small: 7n },
  artifacts: [{ name: "result", bytes: 5, sha256: "0".repeat(64) }],
  error: { code: "TaskFailed", message: "why" },
});

/** Services that record what they are asked; `state` is the one job's. */
export class FakeServices implements Services {
  state: JobView["state"] = "succeeded";
  isReady = true;
  readonly submitted: SubmitRequest[] = [];
  readonly cancelled: JobId[] = [];
  readonly rerun: JobId[] = [];
  readonly stored: string[] = [];
  readonly channels: CoordinatorChannel[] = [];
  readonly errors: string[] = [];
  readonly blobs = new MemoryBlobs();
  /** Called for each new channel; by default it listens to nothing. */
  onConnect: (channel: CoordinatorChannel, address: string) => void = () => {};

  readonly log = { error: (message: string): number => this.errors.push(message) };

  readonly jobs: Services["jobs"] = {
    submit: async (request) => {
      if (request.workload !== "pi") throw new KindlingError("UnknownWorkload", `There is no ${request.workload}`);
      if (Number(request.params["partitions"] ?? 1) > 1e6) {
        throw new KindlingError("BadParams", "partitions: at most 1000000");
      }
      this.submitted.push(request);
      return JOB;
    },
    rerun: async (job) => {
      this.rerun.push(job);
      return jobId("j-2");
    },
    cancel: async (job) => {
      this.cancelled.push(job);
    },
    get: (job) => (job === JOB ? aJobView(this.state) : undefined),
    logs: (_job, after) =>
      [1, 2, 3]
        .filter((sequence) => sequence > after)
        .map((sequence) => ({ sequence, at: 0, level: "info" as const, message: `line ${sequence}` })),
    workloads: () => [{ name: "pi", description: "π", params: {} }],
    overview: () => ({
      version: "1",
      now: 0,
      jobs: [aJobView(this.state)],
      nodes: [],
      throughput: {},
    }),
    story: (_job, ordinal, partition) => (ordinal === 0 && partition === 0 ? ["ready", "leased"] : undefined),
    artifact: (_job, name) => (name === "result" ? { bytes: 5, content: once("12345") } : undefined),
  };

  readonly nodes: Services["nodes"] = {
    connect: (channel, address) => {
      this.channels.push(channel);
      this.onConnect(channel, address);
    },
    isNodeSecret: (secret) => secret === NODE_SECRET,
  };

  /** Peer ids with the token `token-of-ID`; the ticket `good` is for anybody and any time. */
  readonly peers: Services["peers"] = {
    admits: (peer, token) => token === `token-of-${peer}`,
    redeem: (ticket) => (ticket === "good" ? JOB : null),
  };

  readonly data: Services["data"] = {
    blobs: this.blobs,
    locate: async (hash) => {
      const bytes = await this.blobs.size(hash);
      if (bytes === null) throw new KindlingError("BlobMissing", `There is no blob ${hash}`);
      return { bytes };
    },
    receive: async (hash, _length, content) => {
      const stored = await this.blobs.put(content, hash);
      this.stored.push(hash);
      return stored;
    },
    stored: (hash) => void this.stored.push(hash),
    source: (job, ordinal) =>
      job === JOB && ordinal === 0
        ? { bytes: SOURCE.byteLength, read: (start, end) => pieces(SOURCE.subarray(start, end)) }
        : undefined,
  };

  readonly health: Services["health"] = {
    ready: () => (this.isReady ? { ok: true } : { ok: false, reason: "the disk is full" }),
  };
}

async function* once(text: string): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(text);
}

async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += 65_536) yield bytes.subarray(at, at + 65_536);
}

export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
  json(): unknown;
}

export interface RequestInput {
  readonly method?: string;
  readonly path: string;
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

export interface Harness {
  readonly url: string;
  readonly port: number;
  readonly server: Server;
  readonly services: FakeServices;
  /** Sends exactly this path and these headers, as no well-behaved client would. */
  request(input: RequestInput): Promise<Answer>;
  close(): Promise<void>;
}

/** A server on a free port with fake services, and a folder of pages. */
export async function startHarness(options: Partial<ServerOptions> = {}): Promise<Harness> {
  const dir = await mkdtemp(join(tmpdir(), "kindling-net-"));
  const pages = join(dir, "pages");
  await mkdir(join(pages, "assets"), { recursive: true });
  await writeFile(join(dir, "secret.txt"), SECRET_TEXT);
  await writeFile(join(pages, "secret.txt"), SECRET_TEXT);
  await writeFile(join(pages, "join.html"), "<title>join</title>");
  await writeFile(join(pages, "dashboard.html"), "<title>dashboard</title>");
  await writeFile(join(pages, "assets", "main-AbCd1234.js"), "export {};");
  await writeFile(join(pages, "assets", "plain.svg"), "<svg/>");
  const services = new FakeServices();
  const server = createServer(
    { host: "127.0.0.1", port: 0, publicUrl: null, tls: null, tokens: TOKENS, pages, ...options },
    services,
    systemClock,
  );
  const { url } = await server.listen();
  const port = Number(new URL(url).port);
  return {
    url,
    port,
    server,
    services,
    request: (input) => send(port, input),
    async close() {
      await server.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

function send(port: number, { method = "GET", path, token, headers = {}, body }: RequestInput): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const request = http.request(
      { port, host: "127.0.0.1", method, path, headers: { ...authorization, ...headers }, agent: false },
      (response) => {
        const parts: Buffer[] = [];
        response.on("data", (part: Buffer) => parts.push(part));
        response.on("error", reject);
        response.on("end", () => {
          const whole = Buffer.concat(parts);
          const json = (): unknown => JSON.parse(whole.toString());
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: whole, json });
        });
      },
    );
    request.on("error", reject);
    request.end(body);
  });
}
