import { once } from "node:events";
import * as net from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WebSocket } from "ws";
import { createRoutes } from "./server.ts";
import { changesState, type Route } from "./route.ts";
import { FakeServices, type Harness, JOB, NODE_SECRET, SECRET_TEXT, startHarness, TOKENS } from "./testing/harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness({ limits: { headersMs: 300 } });
});
afterAll(() => harness.close());

const ROUTES = createRoutes(new FakeServices(), ".");
const CHANGING = ROUTES.filter(({ method }) => changesState(method));
const title = ({ method, pattern }: Route): string => `${method} ${pattern}`;
const pathOf = ({ pattern }: Route): string =>
  pattern
    .replace(":id", JOB)
    .replace(":hash", "0".repeat(64))
    .replace(":ordinal", "0")
    .replace(":partition", "0")
    .replace(":name", "result");
const tokenFor = ({ roles }: Route): string => (roles.includes("operator") ? TOKENS.operator : NODE_SECRET);

test("the table has routes that change state, and none that needs no token under /api", () => {
  expect(CHANGING.map(title)).toEqual([
    "POST /api/jobs",
    "POST /api/jobs/:id/cancel",
    "POST /api/jobs/:id/rerun",
    "PUT /api/blobs/:hash",
    "POST /api/files",
  ]);
  expect(ROUTES.filter(({ pattern, roles }) => pattern.startsWith("/api/") && roles === "public")).toEqual([]);
});

test.each(CHANGING.map((route) => [title(route), route] as const))("%s refuses foreign origins", async (_, route) => {
  const origins = ["http://evil.example", "null", "https://127.0.0.1", "http://localhost:1", "file://", ""];
  for (const origin of origins) {
    const answer = await harness.request({
      method: route.method,
      path: pathOf(route),
      token: tokenFor(route),
      headers: { origin },
    });
    expect(answer.status, origin).toBe(403);
    expect(answer.json()).toMatchObject({ error: { code: "ForeignOrigin" } });
  }
  const own = await harness.request({
    method: route.method,
    path: pathOf(route),
    token: tokenFor(route),
    headers: { origin: harness.url },
  });
  expect(own.status).not.toBe(403);
});

test.each(ROUTES.map((route) => [title(route), route] as const))("%s refuses foreign hosts", async (_, route) => {
  for (const host of ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "localhost.", "169.254.1.1", "@"]) {
    const answer = await harness.request({
      method: route.method,
      path: pathOf(route),
      token: tokenFor(route),
      headers: { host },
    });
    expect(answer.status, host).toBe(403);
  }
});

const GUARDED = ROUTES.filter(({ roles }) => roles !== "public").map((route) => [title(route), route] as const);

test.each(GUARDED)("%s needs a token of its role", async (_, route) => {
  // A server of its own: wrong tokens are counted.
  const own = await startHarness();
  const ask = (token?: string) =>
    own.request({ method: route.method, path: pathOf(route), ...(token === undefined ? {} : { token }) });
  expect((await ask()).status).toBe(401);
  expect((await ask(`${TOKENS.operator}x`)).status).toBe(401);
  const roles = { operator: TOKENS.operator, volunteer: TOKENS.join, node: NODE_SECRET } as const;
  for (const [role, token] of Object.entries(roles)) {
    const { status } = await ask(token);
    if (route.roles.includes(role as never)) expect([401, 403], role).not.toContain(status);
    else expect(status, role).toBe(403);
  }
  await own.close();
});

test("upgrades are refused for foreign hosts and origins, other paths and blocked addresses", async () => {
  const own = await startHarness();
  const status = async (path: string, headers: Record<string, string>): Promise<number> => {
    const socket = new WebSocket(`ws://127.0.0.1:${own.port}${path}`, { headers });
    const answer = await Promise.race([
      once(socket, "unexpected-response") as Promise<[unknown, { statusCode: number }]>,
      once(socket, "open").then(() => null),
    ]);
    socket.on("error", () => {});
    socket.terminate();
    return answer === null ? 101 : answer[1].statusCode;
  };
  expect(await status("/api/connect", {})).toBe(101);
  expect(await status("/api/connect", { origin: own.url })).toBe(101);
  expect(await status("/api/connect", { origin: "http://evil.example" })).toBe(403);
  expect(await status("/api/connect", { origin: "null" })).toBe(403);
  expect(await status("/api/connect", { host: "evil.example" })).toBe(403);
  expect(await status("/api/overview", {})).toBe(404);
  for (let tries = 0; tries < 10; tries++) expect(own.server.mayJoin(`wrong-${tries}`, "127.0.0.1")).toBe(false);
  expect(await status("/api/connect", {})).toBe(429);
  await own.close();
});

test("ten wrong tokens a minute, then none is answered; a right one always is", async () => {
  const own = await startHarness();
  const ask = (token: string) => own.request({ path: "/api/jobs", token });
  const statuses: number[] = [];
  for (let tries = 0; tries < 15; tries++) statuses.push((await ask(`guess-${tries}`)).status);
  expect(statuses).toEqual([...Array<number>(10).fill(401), ...Array<number>(5).fill(429)]);
  expect((await ask("guess")).headers["retry-after"]).toBe("60");
  expect((await ask(TOKENS.operator)).status).toBe(200);
  expect(own.services.errors.join()).not.toContain("guess");
  await own.close();
});

/** 20 ways to climb × 10 things to reach. */
const CLIMBS = [
  ...["../", "..%2f", "%2e%2e/", "%2e%2e%2f", "..%5c", "..\\", "....//", "..;/", "%252e%252e%252f", "..%c0%af"],
  ...["..%00/", "./../", "%2e./", ".%2e/", "..%ef%bc%8f", "/../", "//", "..%u2215", "%5c..%5c", "..//"],
];
const TARGETS = [
  ...["secret.txt", "pages/secret.txt", "etc/passwd", "etc/passwd%00.js", "join.html"],
  ...["secret.txt?x=.js", "secret.txt%23.js", "pages/join.html", "proc/self/environ", "secret.txt/"],
];

test("200 path traversals reach no file", async () => {
  let tried = 0;
  for (const climb of CLIMBS) {
    for (const target of TARGETS) {
      tried++;
      for (const path of [`/assets/${climb}${target}`, `/assets/${climb.repeat(6)}${target}`, `/${climb}${target}`]) {
        const answer = await harness.request({ path });
        expect([400, 404], path).toContain(answer.status);
        expect(answer.body.toString()).not.toContain(SECRET_TEXT);
        expect(answer.body.toString()).not.toContain("root:");
      }
      const artifact = await harness.request({
        path: `/api/jobs/${JOB}/artifacts/${climb}${target}`,
        token: TOKENS.operator,
      });
      expect(artifact.status, target).toBe(404);
    }
  }
  expect(tried).toBe(200);
});

const deep = (depth: number): string => `${'{"workload":"pi","params":'.repeat(depth)}1${"}".repeat(depth)}`;
const BAD_BODIES: readonly (readonly [name: string, body: string, status: number])[] = [
  ["50 levels", deep(50), 400],
  ["100,000 levels", `${"[".repeat(100_000)}${"]".repeat(100_000)}`, 400],
  ["the key __proto__", '{"workload":"pi","params":{"__proto__":{"admin":true}}}', 400],
  ["the key __proto__ further down", '{"workload":"pi","params":{"a":[{"__proto__":1}]}}', 400],
  ["1e9 partitions", '{"workload":"pi","params":{"partitions":1000000000}}', 400],
  ["an unknown workload", '{"workload":"none"}', 400],
  ["a workload name of 1,000 letters", `{"workload":"${"a".repeat(1000)}"}`, 400],
  ["a bundle that is no hash", '{"workload":"pi","bundle":"../x"}', 400],
  ["params that are no object", '{"workload":"pi","params":[1]}', 400],
  ["no JSON", "{", 400],
  ["nothing", "", 400],
  ["bytes that are not UTF-8", Buffer.from([0x22, 0xff, 0x22]).toString("latin1"), 400],
  ["more than 1 MiB", JSON.stringify({ workload: "pi", params: { a: "a".repeat(1_100_000) } }), 413],
  ["half a million empty arrays", `[${"[],".repeat(300_000)}[]]`, 400],
];

test.each(BAD_BODIES)("a job specification with %s is refused at once", async (_, body, status) => {
  const before = harness.services.submitted.length;
  const started = performance.now();
  const answer = await harness.request({
    method: "POST",
    path: "/api/jobs",
    token: TOKENS.operator,
    headers: { "content-type": "application/json" },
    body: Buffer.from(body, "latin1"),
  });
  expect(answer.status).toBe(status);
  expect(answer.json()).toMatchObject({ error: { code: expect.any(String) as string } });
  expect(harness.services.submitted).toHaveLength(before);
  // Far above what it takes, far below what a pathological parse would.
  expect(performance.now() - started).toBeLessThan(2_000);
  expect(({} as { admin?: boolean }).admin).toBeUndefined();
});

test("a form of another site cannot submit a job", async () => {
  for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]) {
    const answer = await harness.request({
      method: "POST",
      path: "/api/jobs",
      token: TOKENS.operator,
      headers: { "content-type": type },
      body: '{"workload":"pi"}',
    });
    expect(answer.status).toBe(415);
  }
});

test("connections that drip their headers are dropped, while others are served", async () => {
  const dripping = Array.from({ length: 100 }, () => net.connect(harness.port, "127.0.0.1"));
  const ends = dripping.map(async (socket) => {
    socket.on("error", () => {});
    socket.write("GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: ");
    await once(socket, "close");
  });
  expect((await harness.request({ path: "/healthz" })).status).toBe(200);
  for (const socket of dripping) socket.resume();
  await Promise.all(ends);
});

test("garbage instead of HTTP is answered with 400 and dropped", async () => {
  for (const bytes of [
    "\0\0\0\0\r\n\r\n",
    "GET\r\n\r\n",
    "GET / HTTP/9.9\r\n\r\n",
    `GET /${"a".repeat(100_000)} HTTP/1.1\r\n\r\n`,
  ]) {
    const socket = net.connect(harness.port, "127.0.0.1");
    socket.on("error", () => {});
    socket.write(bytes);
    const [answer] = (await once(socket, "data")) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 4\d\d /);
    socket.destroy();
  }
});

test("no request of this file was an internal error", () => {
  expect(harness.services.errors).toEqual([]);
});
