import { describe, expect, test } from "vitest";
import { attemptId, jobId, taskKey } from "../ids.ts";
import type { CloseReason, CoordinatorChannel, NodeChannel } from "../protocol/channel.ts";
import type { ToCoordinator, ToNode } from "../protocol/messages.ts";

/** A connected pair of channels and how to free what it took. */
export interface ChannelPair {
  readonly node: NodeChannel;
  readonly coordinator: CoordinatorChannel;
  dispose(): void | Promise<void>;
}

const beat = (units: number): ToCoordinator => ({
  type: "heartbeat",
  running: [{ attempt: attemptId(taskKey(jobId("a"), 0, 0), 1), units }],
});
const forget = (name: string): ToNode => ({ type: "forget", job: jobId(name) });

/** The next `count` messages of a channel. */
function messages<In>(channel: { onMessage(receiver: (message: In) => void): void }, count: number): Promise<In[]> {
  return new Promise((resolve) => {
    const got: In[] = [];
    channel.onMessage((message) => {
      got.push(message);
      if (got.length === count) resolve(got);
    });
  });
}

const closed = (channel: { onClose(listener: (reason: CloseReason) => void): void }): Promise<CloseReason> =>
  new Promise((resolve) => channel.onClose(resolve));

/** What every channel between a node and its coordinator does, whatever carries it. */
export function channelContract(name: string, connect: () => Promise<ChannelPair>): void {
  describe(name, () => {
    const contract = (title: string, check: (pair: ChannelPair) => Promise<void>): void => {
      test(title, async () => {
        const pair = await connect();
        try {
          await check(pair);
        } finally {
          await pair.dispose();
        }
      });
    };

    contract("messages arrive as they were, in order, in both directions", async ({ node, coordinator }) => {
      const up = Array.from({ length: 200 }, (_, units) => beat(units));
      const down = Array.from({ length: 200 }, (_, index) => forget(`job-${index}`));
      const arrived = Promise.all([messages(coordinator, up.length), messages(node, down.length)]);
      for (const message of up) node.send(message);
      for (const message of down) coordinator.send(message);
      expect(await arrived).toEqual([up, down]);
    });

    contract("a message with bytes arrives byte for byte", async ({ node, coordinator }) => {
      const message: ToCoordinator = {
        type: "results",
        results: [
          {
            attempt: attemptId(taskKey(jobId("a"), 1, 2), 3),
            ok: true,
            chunks: [{ bytes: 4, hash: null, inline: Uint8Array.of(0, 255, 128, 7) }],
            summary: { sum: 12345678901234567890n, parts: Float64Array.of(0.1, -2) },
            backend: "wasm",
            reason: "asked for",
            fetchMs: 0.5,
            runMs: 12,
            units: 100,
          },
        ],
      };
      const arrived = messages(coordinator, 1);
      node.send(message);
      expect(await arrived).toEqual([message]);
    });

    contract("messages never arrive within send", async ({ node, coordinator }) => {
      let within = true;
      const arrived = new Promise<boolean>((resolve) => coordinator.onMessage(() => resolve(within)));
      node.send(beat(0));
      within = false;
      expect(await arrived).toBe(false);
    });

    contract("what came before there was a receiver is kept for it", async ({ node, coordinator }) => {
      const answered = messages(node, 1);
      node.send(beat(1));
      node.send(beat(2));
      // The answer to a question asked later tells that both have arrived.
      coordinator.send(forget("a"));
      await answered;
      expect(await messages(coordinator, 2)).toEqual([beat(1), beat(2)]);
    });

    for (const closer of ["node", "coordinator"] as const) {
      contract(`a close by the ${closer} reaches both sides once, after what was sent before`, async (pair) => {
        const reason: CloseReason = { kind: "stopping", detail: "bye, ü" };
        // A channel that is not up yet would be given up instead of closed.
        const up = messages(pair.node, 1);
        pair.coordinator.send(forget("first"));
        await up;
        const [own, other] =
          closer === "node" ? [pair.node, pair.coordinator] : ([pair.coordinator, pair.node] as const);
        const events: string[] = [];
        (other as CoordinatorChannel).onMessage((message) => events.push(message.type));
        let calls = 0;
        const ends = Promise.all([
          closed({ onClose: (listener) => own.onClose((why) => (calls++, listener(why))) }),
          closed({
            onClose: (listener) =>
              other.onClose((why) => {
                calls++;
                events.push("closed");
                listener(why);
              }),
          }),
        ]);
        (own as NodeChannel).send(closer === "node" ? beat(1) : (forget("a") as never));
        own.close(reason);
        own.close({ kind: "normal", detail: "a second one does not count" });
        expect(await ends).toEqual([reason, reason]);
        expect(events).toEqual([closer === "node" ? "heartbeat" : "forget", "closed"]);
        expect(calls).toBe(2);
      });
    }

    contract("a listener that comes late is told all the same", async ({ node, coordinator }) => {
      const reason: CloseReason = { kind: "replaced", detail: "another came" };
      const first = closed(node);
      coordinator.close(reason);
      await first;
      expect(await closed(coordinator)).toEqual(reason);
    });

    contract("a closed channel neither sends nor receives nor throws", async ({ node, coordinator }) => {
      const received: unknown[] = [];
      node.onMessage((message) => received.push(message));
      const ends = Promise.all([closed(node), closed(coordinator)]);
      node.close({ kind: "normal", detail: "" });
      coordinator.send(forget("a"));
      node.send(beat(1));
      await ends;
      coordinator.send(forget("a"));
      expect(received).toEqual([]);
    });
  });
}
