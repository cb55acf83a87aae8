import { expect, test } from "vitest";
import { attemptId, blobHash, chunkKey, jobId, nodeId, taskKey } from "../../../shared/ids.ts";
import type { CoordinatorChannel } from "../../../shared/protocol/channel.ts";
import { encodeFrame } from "../../../shared/protocol/frames.ts";
import type { Hello, Lease, StageSpec, ToNode } from "../../../shared/protocol/messages.ts";
import { NodeSession } from "./session.ts";

const JOB = jobId("j-1");
const stage = { job: JOB, ordinal: 1 } as StageSpec;

function setup(check = (_message: ToNode): unknown => undefined) {
  const sent: ToNode[] = [];
  const send = (message: ToNode): void => {
    check(message);
    sent.push(message);
  };
  const channel = { send } as unknown as CoordinatorChannel;
  const session = new NodeSession(nodeId("n-1"), "secret", { slots: 1 } as Hello, channel, 0, 0);
  const sizes = (): [stages: number, leases: number][] =>
    sent.flatMap((message) => (message.type === "assign" ? [[message.stages.length, message.leases.length]] : []));
  return { session, sizes };
}

/** Leases that read so many chunks each. */
const leasesOf = (count: number, chunks: number): Lease[] =>
  Array.from({ length: count }, (_, partition) => ({
    attempt: attemptId(taskKey(JOB, 1, partition), 1),
    job: JOB,
    ordinal: 1,
    partition,
    input: {
      kind: "chunks",
      chunks: Array.from({ length: chunks }, (_, map) => ({
        key: chunkKey(taskKey(JOB, 0, map), partition),
        bytes: 70_000,
        hash: blobHash("0f".repeat(32)),
      })),
    },
  }));

const onlyLease = leasesOf(1, 0)[0] as Lease;

test("many leases come in several messages, the stage with the first", () => {
  const { session, sizes } = setup();
  session.assign(leasesOf(130, 1), () => stage);
  expect(sizes()).toEqual([
    [1, 64],
    [0, 64],
    [0, 2],
  ]);
});

test("leases that name many chunks come in smaller messages, one that names more than fit alone", () => {
  const { session, sizes } = setup();
  session.assign([...leasesOf(5, 9_000), ...leasesOf(1, 30_000), ...leasesOf(1, 1)], () => stage);
  expect(sizes().map(([, leases]) => leases)).toEqual([2, 2, 1, 1, 1]);
});

test("leases come in messages that hold them, but for one that none does", () => {
  const { session, sizes } = setup((message) => encodeFrame(message));
  const leases = [3, 3, 9, 3].map((megabytes, partition): Lease => {
    const value = new Uint8Array(megabytes * 2 ** 20);
    return {
      ...onlyLease,
      attempt: attemptId(taskKey(JOB, 1, partition), 1),
      partition,
      input: { kind: "value", value },
    };
  });
  expect(session.assign(leases, () => stage).map(({ partition }) => partition)).toEqual([2]);
  expect(sizes()).toEqual([
    [1, 2],
    [0, 1],
  ]);
});

test("no lease, no message", () => {
  const { session, sizes } = setup();
  session.assign([], () => stage);
  expect(sizes()).toEqual([]);
});
