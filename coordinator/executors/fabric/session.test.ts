import { expect, test } from "vitest";
import { attemptId, blobHash, chunkKey, jobId, nodeId, taskKey } from "../../../shared/ids.ts";
import type { CoordinatorChannel } from "../../../shared/protocol/channel.ts";
import type { Hello, Lease, StageSpec, ToNode } from "../../../shared/protocol/messages.ts";
import { NodeSession } from "./session.ts";

const JOB = jobId("j-1");
const stage = { job: JOB, ordinal: 1 } as StageSpec;

function setup() {
  const sent: ToNode[] = [];
  const channel = { send: (message: ToNode) => sent.push(message) } as unknown as CoordinatorChannel;
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

test("no lease, no message", () => {
  const { session, sizes } = setup();
  session.assign([], () => stage);
  expect(sizes()).toEqual([]);
});
