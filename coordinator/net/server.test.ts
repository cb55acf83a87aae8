import { createHash } from "node:crypto";
import { once } from "node:events";
import * as net from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { KindlingError } from "../../shared/errors.ts";
import { type BlobHash, blobHash } from "../../shared/ids.ts";
import { createServer } from "./server.ts";
import { FakeServices, type Harness, JOB, NODE_SECRET, SOURCE, startHarness, TOKENS } from "./testing/harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.close());
beforeEach(() => {
  harness.services.state = "succeeded";
});

const operator = TOKENS.operator;
const json = { "content-type": "application/json" };
const hashOf = (bytes: Uint8Array): BlobHash => blobHash(createHash("sha256").update(bytes).digest("hex"));

test("health needs no token, and readiness tells why not", async () => {
  expect(await harness.request({ path: "/healthz" })).toMatchObject({ status: 200 });
  expect((await harness.request({ path: "/readyz" })).json()).toEqual({ ok: true });
  harness.services.isReady = false;
  const answer = await harness.request({ path: "/readyz" });
  harness.services.isReady = true;
  expect(answer.status).toBe(503);
  expect(answer.json()).toEqual({ ok: false, reason: "the disk is full" });
});

test("the operator sees everything, a volunteer only what runs", async () => {
  const full = (await harness.request({ path: "/api/overview", token: operator })).json();
  expect(full).toMatchObject({
    jobs: [{ params: { secret: "param" }, metrics: { sum: "12345678901234567890", small: 7 } }],
  });
  const reduced = (await harness.request({ path: "/api/overview", token: TOKENS.join })).json();
  expect(reduced).toMatchObject({ jobs: [{ id: JOB, params: {}, metrics: {}, artifacts: [], error: null }] });
});

test("a job is submitted, shown, cancelled and run again", async () => {
  const submitted = await harness.request({
    method: "POST",
    path: "/api/jobs",
    token: operator,
    headers: json,
    body: JSON.stringify({ workload: "pi", params: { samples: 5 } }),
  });
  expect(submitted.status).toBe(201);
  expect(submitted.json()).toEqual({ id: JOB });
  expect(harness.services.submitted.at(-1)).toEqual({ workload: "pi", params: { samples: 5 } });
  expect((await harness.request({ path: `/api/jobs/${JOB}`, token: operator })).json()).toMatchObject({ id: JOB });
  expect((await harness.request({ path: "/api/jobs", token: operator })).json()).toMatchObject({ jobs: [{ id: JOB }] });
  const cancel = await harness.request({ method: "POST", path: `/api/jobs/${JOB}/cancel`, token: operator });
  expect(cancel.status).toBe(200);
  expect(harness.services.cancelled).toEqual([JOB]);
  const rerun = await harness.request({ method: "POST", path: `/api/jobs/${JOB}/rerun`, token: operator });
  expect(rerun.json()).toEqual({ id: "j-2" });
});

test("a volunteer may run a job again, but not while one runs", async () => {
  const rerun = { method: "POST", path: `/api/jobs/${JOB}/rerun`, token: TOKENS.join };
  expect((await harness.request(rerun)).status).toBe(201);
  harness.services.state = "running";
  const refused = await harness.request(rerun);
  expect(refused.status).toBe(409);
  expect(refused.json()).toMatchObject({ error: { code: "Conflict" } });
});

test("logs after a line, stories and what is not there", async () => {
  const get = (path: string) => harness.request({ path, token: operator });
  expect((await get(`/api/jobs/${JOB}/logs?after=2`)).json()).toMatchObject({ lines: [{ sequence: 3 }] });
  expect((await get(`/api/jobs/${JOB}/logs?after=x`)).status).toBe(400);
  expect((await get(`/api/jobs/${JOB}/tasks/0/0/story`)).json()).toEqual({ lines: ["ready", "leased"] });
  expect((await get(`/api/jobs/${JOB}/tasks/0/1/story`)).status).toBe(404);
  expect((await get("/api/jobs/j-unknown")).status).toBe(404);
  expect((await get("/api/jobs/UPPER")).status).toBe(400);
  expect((await get(`/api/jobs/${JOB}/artifacts/other`)).status).toBe(404);
  expect((await get("/api/nothing")).status).toBe(404);
  const wrongMethod = await harness.request({ method: "PUT", path: "/api/jobs", token: operator });
  expect(wrongMethod.status).toBe(405);
  expect(wrongMethod.headers.allow).toBe("GET, POST");
});

test("an artifact is a download", async () => {
  const answer = await harness.request({ path: `/api/jobs/${JOB}/artifacts/result`, token: operator });
  expect(answer.body.toString()).toBe("12345");
  expect(answer.headers).toMatchObject({
    "content-disposition": "attachment; filename=\"result\"; filename*=UTF-8''result",
    "content-length": "5",
    "content-type": "application/octet-stream",
    "x-content-type-options": "nosniff",
  });
});

test("blobs are put by hash and read in ranges", async () => {
  const blob = SOURCE.subarray(0, 200_000);
  const path = `/api/blobs/${hashOf(blob)}`;
  expect((await harness.request({ method: "HEAD", path, token: NODE_SECRET })).status).toBe(404);
  expect((await harness.request({ path, token: NODE_SECRET })).status).toBe(404);
  const put = await harness.request({ method: "PUT", path, token: NODE_SECRET, body: blob });
  expect(put.json()).toEqual({ hash: hashOf(blob), bytes: 200_000 });
  expect(harness.services.stored).toContain(hashOf(blob));
  const head = await harness.request({ method: "HEAD", path, token: NODE_SECRET });
  expect(head.headers["content-length"]).toBe("200000");
  const whole = await harness.request({ path, token: NODE_SECRET });
  expect(Buffer.compare(whole.body, blob)).toBe(0);
  const rest = await harness.request({ path, token: NODE_SECRET, headers: { range: "bytes=150000-" } });
  expect(rest.status).toBe(206);
  expect(rest.headers["content-range"]).toBe("bytes 150000-199999/200000");
  expect(Buffer.compare(rest.body, blob.subarray(150_000))).toBe(0);
  const past = await harness.request({ path, token: NODE_SECRET, headers: { range: "bytes=200000-" } });
  expect(past.status).toBe(416);
});

test("a source whose own server does not answer is no fault of the coordinator", async () => {
  const source = vi.spyOn(harness.services.data, "source");
  const read = async function* (): AsyncGenerator<Uint8Array> {
    yield* await Promise.reject<Uint8Array[]>(
      new KindlingError("InputNotServed", "http://a/b: the server answers 503"),
    );
  };
  source.mockReturnValue({ bytes: 5, read });
  const answer = await harness.request({ path: `/api/jobs/${JOB}/sources/0`, token: NODE_SECRET });
  source.mockRestore();
  expect(answer.status).toBe(502);
  expect(answer.json()).toMatchObject({ error: { code: "InputNotServed" } });
});

test("the operator stores any blob, of which no job needs to know", async () => {
  const path = `/api/blobs/${hashOf(Uint8Array.of(3))}`;
  const receive = vi.spyOn(harness.services.data, "receive");
  receive.mockRejectedValue(new KindlingError("JobEnded", "No job wants it"));
  const put = (token: string) => harness.request({ method: "PUT", path, token, body: Uint8Array.of(3) });
  expect((await put(NODE_SECRET)).status).toBe(409);
  expect((await put(operator)).status).toBe(201);
  receive.mockRestore();
  expect((await harness.request({ method: "HEAD", path, token: NODE_SECRET })).status).toBe(200);
});

test.each([
  ["kept", { hash: hashOf(Uint8Array.of(4)), bytes: 1 }, 201],
  ["only passed on", null, 200],
])("a node hears that its chunk is %s", async (_how, stored, status) => {
  const receive = vi.spyOn(harness.services.data, "receive");
  receive.mockResolvedValue(stored);
  const path = `/api/blobs/${hashOf(Uint8Array.of(4))}`;
  const answer = await harness.request({ method: "PUT", path, token: NODE_SECRET, body: Uint8Array.of(4) });
  receive.mockRestore();
  expect(answer.status).toBe(status);
});

test("a blob under a wrong name is refused and not kept", async () => {
  const path = `/api/blobs/${hashOf(Uint8Array.of(1))}`;
  const answer = await harness.request({ method: "PUT", path, token: NODE_SECRET, body: Uint8Array.of(2) });
  expect(answer.status).toBe(400);
  expect(answer.json()).toMatchObject({ error: { code: "HashMismatch" } });
  expect((await harness.request({ method: "HEAD", path, token: NODE_SECRET })).status).toBe(404);
});

test("a blob over the size limit is refused before its bytes are read", async () => {
  const path = `/api/blobs/${hashOf(Uint8Array.of(1))}`;
  const socket = net.connect(harness.port, "127.0.0.1");
  socket.write(
    `PUT ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${NODE_SECRET}\r\nContent-Length: 9999999999\r\n\r\n`,
  );
  const [answer] = (await once(socket, "data")) as [Buffer];
  socket.destroy();
  expect(answer.toString()).toMatch(/^HTTP\/1.1 413 /);
});

test("a file of any kind is stored for the operator", async () => {
  const answer = await harness.request({ method: "POST", path: "/api/files", token: operator, body: SOURCE });
  expect(answer.json()).toEqual({ hash: hashOf(SOURCE), bytes: SOURCE.byteLength });
});

test("sources are read in ranges by nodes alone", async () => {
  const path = `/api/jobs/${JOB}/sources/0`;
  const part = await harness.request({ path, token: NODE_SECRET, headers: { range: "bytes=1000-250999" } });
  expect(part.status).toBe(206);
  expect(Buffer.compare(part.body, SOURCE.subarray(1000, 251_000))).toBe(0);
  expect((await harness.request({ path: `/api/jobs/${JOB}/sources/1`, token: NODE_SECRET })).status).toBe(404);
  expect((await harness.request({ path, token: operator })).status).toBe(403);
});

test("pages come with a strict policy and are cached by their hash", async () => {
  const root = await harness.request({ path: "/" });
  expect([root.status, root.headers.location]).toEqual([302, "/dashboard"]);
  for (const page of ["join", "dashboard"]) {
    const answer = await harness.request({ path: `/${page}` });
    expect(answer.body.toString()).toBe(`<title>${page}</title>`);
    expect(answer.headers).toMatchObject({ "cache-control": "no-cache", "content-type": "text/html; charset=utf-8" });
  }
  const script = await harness.request({ path: "/assets/main-AbCd1234.js" });
  expect(script.headers["cache-control"]).toContain("immutable");
  const policy = String(script.headers["content-security-policy"]);
  expect(policy).toContain("default-src 'none'; script-src 'self' 'wasm-unsafe-eval' blob:;");
  expect(policy).toContain(`connect-src 'self' ws://127.0.0.1:${harness.port};`);
  expect(policy).toContain("frame-ancestors 'none'");
  expect(policy).not.toContain("unsafe-inline");
  expect(policy).not.toContain("'unsafe-eval'");
  expect(script.headers["referrer-policy"]).toBe("no-referrer");
  expect((await harness.request({ path: "/assets/plain.svg" })).headers["cache-control"]).toBe("no-cache");
  expect((await harness.request({ path: "/assets/absent.js" })).status).toBe(404);
});

test("pages that were not built are said to be missing", async () => {
  const unbuilt = await startHarness({ pages: join("no", "such", "folder") });
  const answer = await unbuilt.request({ path: "/join" });
  await unbuilt.close();
  expect(answer.status).toBe(503);
  expect(answer.json()).toMatchObject({ error: { message: expect.stringContaining("npm run build") as string } });
});

test("a port in use and an unusable host are told with what to do", async () => {
  const start = (host: string, port: number) =>
    createServer({ host, port, publicUrl: null, tls: null, tokens: TOKENS, pages: "." }, new FakeServices()).listen();
  await expect(start("127.0.0.1", harness.port)).rejects.toMatchObject({
    code: "PortInUse",
    message: expect.stringContaining("--port") as string,
  });
  await expect(start("203.0.113.1", 0)).rejects.toMatchObject({ code: "CannotListen" });
});

test("certificates that cannot be used are named", async () => {
  const options = { host: "127.0.0.1", port: 0, publicUrl: null, tokens: TOKENS, pages: "." };
  const server = createServer({ ...options, tls: { cert: "absent.pem", key: "key.pem" } }, new FakeServices());
  await expect(server.listen()).rejects.toThrow("absent.pem");
});

test("tokens that could be guessed are refused", () => {
  const options = { host: "127.0.0.1", port: 0, publicUrl: null, tls: null, pages: "." };
  expect(() =>
    createServer({ ...options, tokens: { operator: "short", join: TOKENS.join } }, new FakeServices()),
  ).toThrow(KindlingError);
});

test("closing ends connections that idle, with a reader that never reads too", async () => {
  const closing = await startHarness();
  const idle = net.connect(closing.port, "127.0.0.1");
  idle.write("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  await once(idle, "data");
  const ended = once(idle, "close");
  await closing.close();
  await ended;
  await expect(fetch(`${closing.url}/healthz`)).rejects.toThrow();
});
