import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { openLocalFile, openServedFile } from "../executors/fabric/files.ts";
import type { ReadableSource } from "../executors/fabric/source.ts";
import { Spool } from "../executors/fabric/spool.ts";
import { MemoryBlobs } from "../store/memory-blobs.ts";
import { isS3, parseS3, S3 } from "./s3.ts";
import { openObject } from "./s3-object.ts";
import { uploadObject } from "./s3-upload.ts";

/** ms: a busy machine takes its time for tens of megabytes. */
vi.setConfig({ testTimeout: 60_000 });

/** A server that speaks S3, on loopback; it has no types. */
interface Stand {
  run(): Promise<AddressInfo>;
  close(): Promise<void>;
}
const require = createRequire(import.meta.url);
const StandIn = require("s3rver") as new (options: object) => Stand;

const folder = mkdtempSync(join(tmpdir(), "kindling-s3-"));
const spool = new Spool(join(folder, "spool"));
let stand: Stand;
let port: number;
let s3: S3;
const connectTo = (at: number): S3 =>
  new S3({
    endpoint: `http://127.0.0.1:${at}`,
    region: "us-east-1",
    forcePathStyle: true,
    credentials: { accessKeyId: "S3RVER", secretAccessKey: "S3RVER" },
    maxAttempts: 2,
  });

beforeAll(async () => {
  const configureBuckets = [{ name: "inputs" }];
  stand = new StandIn({ port: 0, address: "127.0.0.1", silent: true, directory: join(folder, "s3"), configureBuckets });
  ({ port } = await stand.run());
  s3 = connectTo(port);
});
afterAll(async () => {
  await stand.close();
  rmSync(folder, { recursive: true, force: true });
});

const put = async (Key: string, Body: string | Uint8Array): Promise<string> => {
  const { client } = await s3.connect();
  await client.send(new PutObjectCommand({ Bucket: "inputs", Key, Body }));
  return `s3://inputs/${Key}`;
};
async function text({ read }: ReadableSource, start: number, end: number): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of read(start, end)) parts.push(part);
  return Buffer.concat(parts).toString();
}
async function nothing(): Promise<never> {
  throw new Error("no standard input");
}
const noInput = { [Symbol.asyncIterator]: () => ({ next: nothing }) };

test.each([
  ["s3://bucket/key", "bucket", "key"],
  ["S3://my-bucket.eu/a/b c#?%20.csv", "my-bucket.eu", "a/b c#?%20.csv"],
])("%s", (address, bucket, key) => expect(parseS3(address)).toEqual({ bucket, key }));

test.each(["s3://bucket", "s3://bucket/", "s3:///key", "s3://bucket/folder/", "s3://b*/k"])(
  "%s names no object",
  (address) => {
    expect(isS3(address)).toBe(true);
    expect(() => parseS3(address)).toThrow(`${address} names no object`);
  },
);

describe("reading", () => {
  test("ranges are read in place, and the object is known by its ETag and size", async () => {
    const address = await put("in/a.csv", "key,value\na,1\nb,2\n");
    const source = await openObject(s3, address);
    expect(source).toMatchObject({ name: address, bytes: 18, path: null });
    expect(source.identity).toMatch(/^ETag "[0-9a-f]{32}", 18 bytes$/);
    expect(await text(source, 10, 14)).toBe("a,1\n");
    expect(await text(source, 0, 18)).toBe("key,value\na,1\nb,2\n");
    expect(await text(source, 5, 5)).toBe("");
  });

  test("an object that changes while it is read fails the job", async () => {
    const address = await put("in/changing.csv", "a,1\n");
    const source = await openObject(s3, address);
    await put("in/changing.csv", "b,2\n");
    await expect(text(source, 0, 4)).rejects.toMatchObject({ code: "InputChanged" });
  });

  test("gzip is unpacked, as it is from a disk", async () => {
    const address = await put("in/a.csv.gz", gzipSync("key,value\na,1\n"));
    const source = await openLocalFile(spool, noInput, s3)(address);
    expect(source.bytes).toBe(14);
    expect(await text(source, 10, 14)).toBe("a,1\n");
    await source.close?.();
  });

  test("an answer that breaks off is gone on with where it stopped", async () => {
    const address = await put("in/long.csv", "0123456789".repeat(1000));
    let cuts = 0;
    const cutting = await serve((incoming, response) => {
      const onward = request({
        port,
        host: "127.0.0.1",
        path: incoming.url,
        method: incoming.method,
        headers: incoming.headers,
      });
      onward.on("response", (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        if (incoming.method !== "GET" || cuts++ >= 2) return void answer.pipe(response);
        // Half of what was promised, then nothing.
        answer.once("data", (data: Buffer) => {
          response.write(data.subarray(0, data.byteLength / 2), () => response.destroy());
          answer.destroy();
        });
      });
      onward.end();
    });
    const { port: cutPort } = cutting.address() as AddressInfo;
    const source = await openObject(connectTo(cutPort), address);
    expect(await text(source, 5, 10_000)).toBe("0123456789".repeat(1000).slice(5));
    expect(cuts).toBeGreaterThan(2);
    await close(cutting);
  });

  test.each([
    ["s3://inputs/nothing.csv", "BadInput", "s3://inputs/nothing.csv: there is no such object"],
    ["s3://no-such-bucket/a.csv", "BadInput", "s3://no-such-bucket/a.csv: there is no such"],
  ])("%s", async (address, code, message) => {
    await expect(openObject(s3, address)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message) as string,
    });
  });

  test("a server that cannot be reached", async () => {
    const closed = await serve(() => undefined);
    const { port: free } = closed.address() as AddressInfo;
    await close(closed);
    await expect(openObject(connectTo(free), "s3://inputs/a.csv")).rejects.toMatchObject({
      code: "AwsUnreachable",
      message: expect.stringContaining("s3://inputs/a.csv: AWS cannot be reached") as string,
    });
  });

  test("a pattern names all objects that match, sorted", async () => {
    for (const name of ["b.csv", "a.csv", "a.txt", "deeper/c.csv"]) await put(`many/${name}`, name);
    expect(await s3.match("s3://inputs/many/*.csv")).toEqual(["s3://inputs/many/a.csv", "s3://inputs/many/b.csv"]);
    expect(await s3.match("s3://inputs/many/**/c.csv")).toEqual(["s3://inputs/many/deeper/c.csv"]);
    await expect(s3.match("s3://inputs/many/*.parquet")).rejects.toThrow("no object matches");
  });
});

describe("a coordinator", () => {
  const served = (buckets: "any" | readonly string[] | null) =>
    openServedFile(new MemoryBlobs(), null, spool, { urls: null, s3: buckets === null ? null : { s3, buckets } });

  test("reads no object unless it is allowed to", async () => {
    const address = await put("in/served.csv", "a,1\n");
    await expect(served(null)(address)).rejects.toThrow(
      "this coordinator reads nothing from S3; start it with --allow-s3",
    );
    await expect(served(["others"])(address)).rejects.toThrow("inputs is not among the buckets that --allow-s3 names");
    for (const buckets of ["any", ["others", "inputs"]] as const) {
      expect(await text(await served(buckets)(address), 0, 4)).toBe("a,1\n");
    }
  });
});

describe("writing", () => {
  const read = async (address: string): Promise<string> => {
    const source = await openObject(s3, address);
    return text(source, 0, source.bytes);
  };
  const bytes = (content: string): Uint8Array => new TextEncoder().encode(content);

  test("nothing is seen before it is published, and what was there stays until then", async () => {
    const address = await put("out/small.csv", "before");
    const upload = uploadObject(s3, address);
    await upload.write(bytes("af"));
    await upload.write(bytes("ter"));
    await upload.finish();
    expect(await read(address)).toBe("before");
    await upload.publish();
    expect(await read(address)).toBe("after");
  });

  test("a large object goes in parts", async () => {
    const address = "s3://inputs/out/large.bin";
    const upload = uploadObject(s3, address);
    const block = new Uint8Array(3_000_001);
    let total = 0;
    for (let i = 0; i < 9; i++) {
      // The caller's buffer is used again, as the writers of results do.
      block.fill(i);
      await upload.write(block);
      total += block.byteLength;
    }
    await upload.finish();
    await expect(openObject(s3, address)).rejects.toThrow("no such object");
    await upload.publish();
    const source = await openObject(s3, address);
    expect(source.bytes).toBe(total);
    for (let i = 0; i < 9; i++) {
      const parts: Uint8Array[] = [];
      for await (const part of source.read(i * block.byteLength, (i + 1) * block.byteLength)) parts.push(part);
      expect(Buffer.concat(parts).equals(Buffer.alloc(block.byteLength, i))).toBe(true);
    }
  });

  test("an empty object", async () => {
    const upload = uploadObject(s3, "s3://inputs/out/empty.csv");
    await upload.finish();
    await upload.publish();
    expect(await read("s3://inputs/out/empty.csv")).toBe("");
  });

  test("what is abandoned leaves nothing", async () => {
    const upload = uploadObject(s3, "s3://inputs/out/abandoned.bin");
    await upload.write(new Uint8Array(9_000_000));
    await upload.abandon();
    await expect(openObject(s3, "s3://inputs/out/abandoned.bin")).rejects.toThrow("no such object");
  });

  test("a bucket that is not there is told before any work", async () => {
    await expect(s3.checkWritable("s3://no-such-bucket/out.csv")).rejects.toMatchObject({
      code: "CannotWrite",
      message: expect.stringContaining("s3://no-such-bucket/out.csv: there is no such bucket") as string,
    });
    await s3.checkWritable("s3://inputs/out/new.csv");
    await expect(openObject(s3, "s3://inputs/out/new.csv")).rejects.toThrow("no such object");
  });
});

async function serve(answer: Parameters<typeof createServer>[1]): Promise<Server> {
  const server = createServer(answer as () => void);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return server;
}
async function close(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
}
