import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, expect, test } from "vitest";
import { Spool } from "./spool.ts";
import { isPublicAddress, type Resolve, type WebRule } from "./web-address.ts";
import { openWebFile } from "./web-file.ts";

const CONTENT = "key,value\na,1\nb,2\n";
const spool = new Spool(join(tmpdir(), `web-file-test-${process.pid}`));
const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  }
  await spool.clear();
});

/** A server on loopback; gives its port and what it was asked. */
async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.url} ${request.headers.range ?? "all"}`);
    answer(request, response);
  });
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return { port: (server.address() as AddressInfo).port, asked };
}

/** Answers as servers with ranges do. */
function withRanges(content: Uint8Array, etag: () => string = () => '"1"') {
  return ({ headers }: IncomingMessage, response: ServerResponse): void => {
    const [, start, end] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? "") ?? [];
    if (start === undefined) {
      response.writeHead(200, { etag: etag() }).end(content);
    } else if (Number(start) >= content.length) {
      response.writeHead(416, { "content-range": `bytes */${content.length}` }).end();
    } else {
      const last = Math.min(Number(end), content.length - 1);
      response
        .writeHead(206, { etag: etag(), "content-range": `bytes ${start}-${last}/${content.length}` })
        .end(content.subarray(Number(start), last + 1));
    }
  };
}

const loopback: Resolve = async () => [{ address: "127.0.0.1", family: 4 }];
const open = (url: string, rule: WebRule = "any", resolve: Resolve = loopback) =>
  openWebFile(url, { rule, spool, resolve });
async function text(content: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of content) parts.push(part);
  return Buffer.concat(parts).toString();
}

test("ranges are read in place, and the file is known by its ETag and size", async () => {
  const { port, asked } = await serve(withRanges(Buffer.from(CONTENT)));
  const file = await open(`http://files.test:${port}/in.csv?signature=secret`);
  expect(file).toMatchObject({
    name: `http://files.test:${port}/in.csv`,
    bytes: 18,
    identity: '"1", 18 bytes',
    path: null,
  });
  expect(await text(file.read(10, 14))).toBe("a,1\n");
  expect(await text(file.read(0, 18))).toBe(CONTENT);
  expect(asked.map((line) => line.split(" ")[1])).toEqual(["bytes=0-1", "bytes=10-13", "bytes=0-17"]);
  await file.close?.();
});

test("a server that sends less than it was asked for is asked for the rest", async () => {
  const content = Buffer.from(CONTENT);
  const { port, asked } = await serve(({ headers }, response) => {
    const [start = 0, end = 0] = (/\d+-\d+/.exec(headers.range ?? "")?.[0] ?? "").split("-").map(Number);
    const last = Math.min(start + 3, end);
    response.writeHead(206, { "content-range": `bytes ${start}-${last}/18` }).end(content.subarray(start, last + 1));
  });
  const file = await open(`http://files.test:${port}/in.csv`);
  expect(await text(file.read(3, 14))).toBe(CONTENT.slice(3, 14));
  expect(asked.slice(1).map((line) => line.split(" ")[1])).toEqual(["bytes=3-13", "bytes=7-13", "bytes=11-13"]);
  await file.close?.();
});

test("another part of the file than was asked for is refused", async () => {
  const { port } = await serve((_, response) => {
    response.writeHead(206, { "content-range": "bytes 0-1/18" }).end("ke");
  });
  const file = await open(`http://files.test:${port}/in.csv`);
  await expect(text(file.read(4, 6))).rejects.toThrow("/in.csv changed while the job was under way");
  await file.close?.();
});

test.each([503, 429])("after %d in the middle another attempt may read on", async (status) => {
  let isDown = false;
  const answer = withRanges(Buffer.from(CONTENT));
  const { port } = await serve((request, response) => {
    if (isDown) response.writeHead(status).end();
    else answer(request, response);
  });
  const file = await open(`http://files.test:${port}/in.csv`);
  isDown = true;
  await expect(text(file.read(4, 9))).rejects.toMatchObject({
    message: `http://files.test:${port}/in.csv: the server answers ${status}`,
    retryable: true,
  });
  isDown = false;
  expect(await text(file.read(4, 9))).toBe(CONTENT.slice(4, 9));
  await file.close?.();
});

test.each([
  ["a part of an unknown whole", 206, { "content-range": "bytes 0-1/*" }, "ke"],
  ["a part that says nothing of itself", 206, {}, "ke"],
  ["a refusal of the range", 416, {}, "no such range"],
])("after %s the whole file is fetched", async (_, status, headers, body) => {
  const { port, asked } = await serve((request, response) => {
    if (request.headers.range === undefined) response.writeHead(200).end(CONTENT);
    else response.writeHead(status, headers).end(body);
  });
  const file = await open(`http://files.test:${port}/in.csv`);
  expect(await text(file.read(0, file.bytes))).toBe(CONTENT);
  expect(asked).toEqual(["/in.csv bytes=0-1", "/in.csv all"]);
  await file.close?.();
});

test("a file that changes while it is read is noticed", async () => {
  let etag = '"1"';
  const { port } = await serve(withRanges(Buffer.from(CONTENT), () => etag));
  const file = await open(`http://files.test:${port}/in.csv`);
  etag = '"2"';
  await expect(text(file.read(0, 4))).rejects.toThrow("/in.csv changed while the job was under way");
  await file.close?.();
});

test("without ranges, and where it is gzip, a file is fetched once", async () => {
  for (const body of [Buffer.from(CONTENT), gzipSync(CONTENT)]) {
    const plain = await serve((_, response) => response.writeHead(200).end(body));
    const ranged = await serve(withRanges(body));
    for (const { port } of body[0] === 0x1f ? [plain, ranged] : [plain]) {
      const file = await open(`http://files.test:${port}/in.csv`);
      expect(file.bytes).toBe(18);
      expect(file.path).not.toBeNull();
      expect(await text(file.read(0, 18))).toBe(CONTENT);
      await file.close?.();
    }
  }
});

test("an empty file", async () => {
  const { port } = await serve(withRanges(new Uint8Array()));
  const file = await open(`http://files.test:${port}/in.csv`);
  expect(file.bytes).toBe(0);
  expect(await text(file.read(0, 0))).toBe("");
  await file.close?.();
});

test("a server's refusal is told", async () => {
  const { port } = await serve((_, response) => response.writeHead(404).end());
  await expect(open(`http://files.test:${port}/in.csv`)).rejects.toThrow("/in.csv: the server answers 404 Not Found");
});

test("redirects are followed a few times", async () => {
  const content = withRanges(Buffer.from(CONTENT));
  const { port } = await serve((request, response) => {
    if (request.url === "/file") content(request, response);
    else if (request.url === "/loop") response.writeHead(302, { location: "/loop" }).end();
    else response.writeHead(301, { location: "/file" }).end();
  });
  const file = await open(`http://files.test:${port}/start`);
  expect(await text(file.read(0, 18))).toBe(CONTENT);
  await file.close?.();
  await expect(open(`http://files.test:${port}/loop`)).rejects.toThrow("it redirects more than 5 times");
});

/** Row 32: nothing of these may even be connected to. */
test.each([
  ["http://127.0.0.1:PORT/", "127.0.0.1 is not a public address"],
  ["http://2130706433:PORT/", "127.0.0.1 is not a public address"],
  ["http://0x7f.1:PORT/", "127.0.0.1 is not a public address"],
  ["http://0177.0.0.1:PORT/", "127.0.0.1 is not a public address"],
  ["http://[::1]:PORT/", "::1 is not a public address"],
  ["http://[::ffff:127.0.0.1]:PORT/", "is not a public address"],
  ["http://169.254.169.254/latest/meta-data/", "169.254.169.254 is not a public address"],
  ["http://[fd00:ec2::254]/", "is not a public address"],
  ["http://0.0.0.0:PORT/", "0.0.0.0 is not a public address"],
  ["http://files.test:PORT/", "127.0.0.1 is not a public address"],
  ["file:///etc/passwd", "only http and https can be read, not file:"],
  ["ftp://files.test/", "only http and https can be read, not ftp:"],
  ["gopher://127.0.0.1:PORT/_", "only http and https can be read"],
])("%s is refused where only public hosts may be read", async (url, message) => {
  const { port, asked } = await serve(withRanges(Buffer.from(CONTENT)));
  await expect(open(url.replace("PORT", String(port)), "public")).rejects.toThrow(message);
  expect(asked).toEqual([]);
});

test("a name with one hidden address among public ones is refused", async () => {
  const both: Resolve = async () => [
    { address: "93.184.216.34", family: 4 },
    { address: "127.0.0.1", family: 4 },
  ];
  await expect(open("http://files.test/", "public", both)).rejects.toThrow("127.0.0.1 is not a public address");
});

test("named hosts are read wherever they are, and no redirect leads away from them", async () => {
  const { port, asked } = await serve((request, response) => {
    if (request.url === "/away") response.writeHead(302, { location: `http://127.0.0.1:${port}/` }).end();
    else withRanges(Buffer.from(CONTENT))(request, response);
  });
  const file = await open(`http://files.test:${port}/in.csv`, ["files.test"]);
  expect(file.bytes).toBe(18);
  await file.close?.();
  await expect(open(`http://files.test:${port}/away`, ["files.test"])).rejects.toThrow("is not among the hosts");
  await expect(open(`http://other.test:${port}/`, ["files.test"])).rejects.toThrow("is not among the hosts");
  expect(asked).toHaveLength(2);
});

test.each([
  ["8.8.8.8", true],
  ["1.1.1.1", true],
  ["2606:4700::1111", true],
  ["100.64.0.1", false],
  ["172.31.255.255", false],
  ["172.32.0.1", true],
  ["192.168.1.1", false],
  ["255.255.255.255", false],
  ["224.0.0.1", false],
  ["::", false],
  ["fe80::1", false],
  ["64:ff9b::7f00:1", false],
  ["2002:7f00:1::", false],
  ["2001:db8::1", false],
  ["nonsense", false],
])("%s is public: %s", (address, isPublic) => expect(isPublicAddress(address)).toBe(isPublic));
