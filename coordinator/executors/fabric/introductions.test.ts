import { expect, test } from "vitest";
import { blobHash, chunkKey, jobId, taskKey } from "../../../shared/ids.ts";
import type { ChunkRef } from "../../../shared/protocol/messages.ts";
import { ManualClock } from "../../../shared/testing/manual-clock.ts";
import { Introductions, withHolders } from "./introductions.ts";

const JOB = jobId("j-1");
const OTHER_JOB = jobId("j-2");

function setup() {
  const clock = new ManualClock();
  const desk = new Introductions(clock);
  const [reader, holder, stranger] = [desk.enrol(), desk.enrol(), desk.enrol()];
  desk.introduce(JOB, reader.id, holder.id);
  return { clock, desk, reader, holder, stranger };
}

test("names and tokens have 128 random bits, and only their own token admits a node", () => {
  const { desk, reader, holder } = setup();
  for (const text of [reader.id, reader.token]) expect(text).toMatch(/^[0-9a-f]{32}$/);
  expect(new Set([reader.id, reader.token, holder.id, holder.token]).size).toBe(4);
  expect(desk.admits(reader.id, reader.token)).toBe(true);
  expect(desk.admits(reader.id, holder.token)).toBe(false);
  expect(desk.admits(reader.id, "")).toBe(false);
  expect(desk.admits("f".repeat(32), reader.token)).toBe(false);
  desk.expel(reader.id);
  expect(desk.admits(reader.id, reader.token)).toBe(false);
});

test("a ticket is good once, for these two in this order", () => {
  const { desk, reader, holder } = setup();
  const ticket = desk.ticket(JOB, reader.id, holder.id) ?? "";
  expect(desk.redeem(ticket, reader.id, holder.id)).toBe(JOB);
  expect(desk.redeem(ticket, reader.id, holder.id)).toBeNull();
});

test("who was not introduced gets no ticket: a foreign pair, the other direction, another job", () => {
  const { desk, reader, holder, stranger } = setup();
  expect(desk.ticket(JOB, stranger.id, holder.id)).toBeNull();
  expect(desk.ticket(JOB, reader.id, stranger.id)).toBeNull();
  expect(desk.ticket(JOB, holder.id, reader.id)).toBeNull();
  expect(desk.ticket(OTHER_JOB, reader.id, holder.id)).toBeNull();
});

test("a ticket in foreign hands is of no use, and used up", () => {
  const { desk, reader, holder, stranger } = setup();
  const stolen = desk.ticket(JOB, reader.id, holder.id) ?? "";
  expect(desk.redeem(stolen, stranger.id, holder.id)).toBeNull();
  expect(desk.redeem(stolen, reader.id, holder.id)).toBeNull();
  const misled = desk.ticket(JOB, reader.id, holder.id) ?? "";
  expect(desk.redeem(misled, reader.id, stranger.id)).toBeNull();
});

test("a ticket ends after ten seconds, with its job, and with either node", () => {
  const { clock, desk, reader, holder } = setup();
  const late = desk.ticket(JOB, reader.id, holder.id) ?? "";
  clock.advance(10_000);
  expect(desk.redeem(late, reader.id, holder.id)).toBeNull();

  const orphan = desk.ticket(JOB, reader.id, holder.id) ?? "";
  desk.expel(holder.id);
  expect(desk.redeem(orphan, reader.id, holder.id)).toBeNull();
  expect(desk.ticket(JOB, reader.id, holder.id)).toBeNull();

  const second = setup();
  const ended = second.desk.ticket(JOB, second.reader.id, second.holder.id) ?? "";
  second.desk.end(JOB);
  expect(second.desk.redeem(ended, second.reader.id, second.holder.id)).toBeNull();
  expect(second.desk.ticket(JOB, second.reader.id, second.holder.id)).toBeNull();
});

test("one node has at most 64 tickets; the oldest goes first", () => {
  const { desk, reader, holder } = setup();
  const tickets = Array.from({ length: 65 }, () => desk.ticket(JOB, reader.id, holder.id) ?? "");
  const good = tickets.map((ticket) => desk.redeem(ticket, reader.id, holder.id) !== null);
  expect(good).toEqual([false, ...Array<boolean>(64).fill(true)]);
});

test("holders are named with each chunk, and not where there are none", () => {
  const hash = blobHash("0f".repeat(32));
  const ref = (bucket: number): ChunkRef => ({ key: chunkKey(taskKey(JOB, 1, 0), bucket), bytes: 9, hash });
  const holders = ({ key }: ChunkRef): string[] => (key.endsWith("/1") ? ["peer"] : []);
  expect(withHolders({ kind: "value", value: 1 }, holders)).toEqual({ kind: "value", value: 1 });
  expect(withHolders({ kind: "chunk", chunk: ref(1) }, holders)).toEqual({
    kind: "chunk",
    chunk: { ...ref(1), holders: ["peer"] },
  });
  expect(withHolders({ kind: "chunks", chunks: [ref(0), ref(1)] }, holders)).toEqual({
    kind: "chunks",
    chunks: [ref(0), { ...ref(1), holders: ["peer"] }],
  });
});
