import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { ManualClock } from "../../shared/testing/manual-clock.ts";
import { createApiClient } from "./client.ts";
import { followLogs } from "./follow.ts";

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

/** A coordinator that answers as told, and records what it is asked. */
async function serve(answer: (request: IncomingMessage, response: ServerResponse, body: string) => void) {
  const requests: { method: string; url: string; body: string; token: string | undefined }[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (part: Buffer) => {
      body += part.toString();
    });
    request.on("end", () => {
      const { method = "", url = "", headers } = request;
      requests.push({ method, url, body, token: headers.authorization });
      answer(request, response, body);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  stops.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { client: createApiClient({ url, token: "T" }), requests, url };
}

const sendJson = (response: ServerResponse, body: unknown, status = 200): void => {
  response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
};

test("each method asks its route with the token, and gives what is inside the answer", async () => {
  const { client, requests } = await serve((_, response) =>
    sendJson(response, { id: "j-2", jobs: [1], workloads: [2], lines: [3], hash: "h", bytes: 4 }),
  );
  expect(await client.submit({ workload: "pi", params: { samples: 1 } })).toBe("j-2");
  expect(await client.rerun("j-1")).toBe("j-2");
  expect(await client.cancel("j-1")).toBeUndefined();
  expect(await client.jobs()).toEqual([1]);
  expect(await client.workloads()).toEqual([2]);
  expect(await client.logs("j-1", 7)).toEqual([3]);
  expect(await client.story("j-1", 2, 3)).toEqual([3]);
  expect(await client.job("j/1")).toMatchObject({ id: "j-2" });
  expect(await client.overview()).toMatchObject({ jobs: [1] });
  expect(await client.putBlob("abc", new TextEncoder().encode("blob"))).toMatchObject({ hash: "h" });
  expect(requests.map(({ method, url, body }) => `${method} ${url} ${body}`)).toEqual([
    'POST /api/jobs {"workload":"pi","params":{"samples":1}}',
    "POST /api/jobs/j-1/rerun {}",
    "POST /api/jobs/j-1/cancel {}",
    "GET /api/jobs ",
    "GET /api/workloads ",
    "GET /api/jobs/j-1/logs?after=7 ",
    "GET /api/jobs/j-1/tasks/2/3/story ",
    "GET /api/jobs/j%2F1 ",
    "GET /api/overview ",
    "PUT /api/blobs/abc blob",
  ]);
  expect(new Set(requests.map(({ token }) => token))).toEqual(new Set(["Bearer T"]));
});

test("files go up as bytes or as a stream", async () => {
  const { client, requests } = await serve((_, response) => sendJson(response, { hash: "h", bytes: 5 }));
  await client.uploadFile(new TextEncoder().encode("bytes"));
  expect(await client.uploadFile(new Blob(["str", "eam"]).stream())).toEqual({ hash: "h", bytes: 5 });
  expect(requests.map(({ body }) => body)).toEqual(["bytes", "stream"]);
});

test("an artifact comes piece by piece, and one that breaks off is an error", async () => {
  const { client } = await serve((request, response) => {
    response.writeHead(200, { "Content-Length": 10 });
    if (request.url?.endsWith("whole") === true) response.end("0123456789");
    else response.write("01234", () => response.destroy());
  });
  const read = async (name: string): Promise<string> => {
    let text = "";
    for await (const part of await client.artifact("j-1", name)) text += new TextDecoder().decode(part);
    return text;
  };
  expect(await read("whole")).toBe("0123456789");
  await expect(read("broken")).rejects.toMatchObject({ code: "Interrupted", retryable: true });
});

test("the coordinator's errors keep their code, message and fate", async () => {
  const { client } = await serve((request, response) => {
    if (request.url === "/api/overview") response.writeHead(502).end("<html>a proxy speaks");
    else if (request.method === "POST")
      sendJson(response, { error: { code: "BadParams", message: "samples: no" } }, 400);
    else sendJson(response, { error: { code: "StorageFull", message: "no space" } }, 507);
  });
  await expect(client.submit({ workload: "pi" })).rejects.toMatchObject({
    name: "KindlingError",
    code: "BadParams",
    message: "samples: no",
    retryable: false,
  });
  await expect(client.jobs()).rejects.toMatchObject({ code: "StorageFull", retryable: true });
  await expect(client.overview()).rejects.toMatchObject({
    code: "BadAnswer",
    message: expect.stringContaining("502") as string,
  });
});

test("where no coordinator answers, the message says so and how to start one", async () => {
  const { url } = await serve(() => {});
  for (const stop of stops.splice(0)) stop();
  const error: unknown = await createApiClient({ url, token: "T" })
    .overview()
    .catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: "NoCoordinator", retryable: true });
  expect((error as Error).message).toContain(url);
  expect((error as Error).message).toContain("npx kindling start");
});

test("a request that its caller gave up is no missing coordinator", async () => {
  const { client } = await serve(() => {});
  const asked = client.overview(AbortSignal.abort(new Error("enough")));
  await expect(asked).rejects.toThrow("enough");
});

test("logs are followed until the job has ended, each line once", async () => {
  const clock = new ManualClock();
  const looks = [
    { state: "running", lines: ["a", "b"] },
    { state: "running", lines: [] },
    { state: "succeeded", lines: ["c"] },
  ];
  const written = ["a", "b", "c"];
  let look = 0;
  const afters: number[] = [];
  const client = {
    job: async () => ({ state: looks[look]?.state }) as never,
    logs: async (_id: string, after = 0) => {
      afters.push(after);
      const lines = looks[look++]?.lines ?? [];
      return lines.map((message) => ({
        sequence: written.indexOf(message) + 1,
        at: 0,
        level: "info" as const,
        message,
      }));
    },
  };
  const got: string[] = [];
  const following = (async () => {
    for await (const { message } of followLogs(client, "j-1", clock)) got.push(message);
  })();
  while (look < looks.length) {
    await new Promise((resolve) => setImmediate(resolve));
    clock.step();
  }
  await following;
  expect(got).toEqual(written);
  expect(afters).toEqual([0, 2, 2]);
});
