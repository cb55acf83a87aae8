import type { Remote } from "comlink";
import { expect, test } from "vitest";
import { KindlingError } from "../../shared/errors.ts";
import { jobId } from "../../shared/ids.ts";
import { streamOfBytes } from "../node/testing/byte-streams.ts";
import type { ComputeHost } from "./compute-protocol.ts";
import { OwnFetches } from "./own-fetches.ts";

const PART = { job: jobId("j-1"), source: { ordinal: 0, name: "data.csv", bytes: 4 }, start: 0, end: 4 };

/** A node that answers what a thread asks of it; `secrets` are given out one after the other. */
function hostOf(secrets: Promise<string>[], isJoined = true) {
  const host = {
    received: [] as number[],
    secret: () => secrets.shift() ?? new Promise<string>(() => {}),
    isJoined: async () => isJoined,
  };
  return { ...host, host: { ...host, received: async (bytes: number) => void host.received.push(bytes) } };
}

const fetchesOf = (host: object, plane: ConstructorParameters<typeof OwnFetches>[1]): OwnFetches =>
  new OwnFetches(host as unknown as Remote<ComputeHost>, plane);

test("a source is fetched with the node's secret, and its bytes are told to the node", async () => {
  const { host, received } = hostOf([Promise.resolve("first")]);
  const secrets: string[] = [];
  const fetches = fetchesOf(host, (secret) => {
    secrets.push(secret);
    return { read: () => streamOfBytes(Uint8Array.of(1, 2, 3, 4)) };
  });
  const stream = fetches.read(PART, new AbortController().signal);
  expect([...(await stream.next(new ArrayBuffer(8)))]).toEqual([1, 2, 3, 4]);
  stream.close();
  await expect.poll(() => received).toEqual([4]);
  expect(secrets).toEqual(["first"]);
});

test("after the node has joined anew, its new secret is used", async () => {
  const { host } = hostOf([Promise.resolve("first"), Promise.resolve("second")], false);
  const fetches = fetchesOf(host, (secret) => ({
    read: () => {
      if (secret === "second") return streamOfBytes(Uint8Array.of(7));
      const fail = async (): Promise<never> => {
        throw new KindlingError("Unauthorized", "The secret is that of an earlier session");
      };
      return { next: fail, close: () => {} };
    },
  }));
  expect([...(await fetches.read(PART, new AbortController().signal).next(new ArrayBuffer(8)))]).toEqual([7]);
});

test("a task that is aborted does not wait for the node to join again", async () => {
  const { host } = hostOf([]);
  const controller = new AbortController();
  const fetches = fetchesOf(host, () => ({ read: () => streamOfBytes(Uint8Array.of(1)) }));
  const reading = fetches.read(PART, controller.signal).next(new ArrayBuffer(8));
  controller.abort(new Error("revoked"));
  await expect(reading).rejects.toThrow("revoked");
});
