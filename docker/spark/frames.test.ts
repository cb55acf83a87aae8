import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { encodeFrame, frameReader } from "./frames.ts";
import { Link } from "./link.ts";

function readAll(bytes: Uint8Array): unknown {
  let at = 0;
  const reader = frameReader();
  let step = reader.next(null);
  while (step.done !== true) {
    const part = bytes.subarray(at, at + step.value);
    at += part.byteLength;
    step = reader.next(at === 0 || part.byteLength < step.value ? null : part);
  }
  return step.value;
}

const frame = new Uint8Array(
  Buffer.concat(encodeFrame({ op: "run", label: "zählen" }, [Uint8Array.of(1, 2), new Uint8Array(0)])),
);

test("a frame comes back as it was written, blobs and all", () => {
  expect(Buffer.from(frame.subarray(0, 8)).toString("hex")).toBe("0000001e00000002");
  expect(readAll(frame)).toEqual({
    header: { op: "run", label: "zählen" },
    blobs: [Uint8Array.of(1, 2), new Uint8Array(0)],
  });
});

test("the end of a stream is the end between frames, and an error within one", () => {
  expect(readAll(new Uint8Array(0))).toBeNull();
  expect(() => readAll(frame.subarray(0, 20))).toThrow("in the middle of a frame");
});

test("replies find their requests, whatever pieces they come in; errors keep their code", async () => {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const told: unknown[] = [];
  const link = new Link(input, output, (event) => told.push(event));
  const first = link.request({ op: "load" });
  const second = link.request({ op: "load" });
  const bytes = Buffer.concat([
    ...encodeFrame({ event: "progress", stages: [] }),
    ...encodeFrame({ id: 1 }, [Uint8Array.of(7)]),
    ...encodeFrame({ id: 0, error: { code: "BadInput", message: "row 3", retryable: false } }),
  ]);
  for (const byte of bytes) input.write(Uint8Array.of(byte));
  expect((await second).blobs).toEqual([Uint8Array.of(7)]);
  await expect(first).rejects.toMatchObject({ code: "BadInput", message: "row 3" });
  expect(told).toEqual([{ event: "progress", stages: [] }]);
});

test("what is asked of a program that has ended is refused", async () => {
  const input = new PassThrough();
  const link = new Link(input, new PassThrough(), () => undefined);
  const reply = link.request({ op: "run" });
  input.end();
  await expect(reply).rejects.toMatchObject({ code: "SparkGone" });
});
