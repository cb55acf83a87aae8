import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import { expect, test } from "vitest";
import { ManualClock } from "../../shared/testing/manual-clock.ts";
import { trackConnections } from "./connections.ts";
import { attachment } from "./job-routes.ts";
import { tokenBucket } from "./rate-limit.ts";

test("a bucket allows a burst, then its rate, and never saves up more than the burst", () => {
  const clock = new ManualClock();
  const bucket = tokenBucket(10, 5, clock);
  const allowed = (): number => Array.from({ length: 20 }, () => bucket.take()).filter(Boolean).length;
  expect(allowed()).toBe(5);
  clock.advance(200);
  expect(allowed()).toBe(2);
  clock.advance(3_600_000);
  expect(allowed()).toBe(5);
});

class FakeSocket extends EventEmitter {
  readonly remoteAddress: string;
  destroyed = false;
  constructor(remoteAddress: string) {
    super();
    this.remoteAddress = remoteAddress;
  }
  destroy(): void {
    this.destroyed = true;
    this.emit("close");
  }
}

test("connections are limited by address, loopback apart, and free their place when they end", () => {
  const connections = trackConnections({ others: 2, loopback: 3 });
  const open = (address: string): FakeSocket => {
    const socket = new FakeSocket(address);
    connections.admit(socket as unknown as Socket);
    return socket;
  };
  const [first, second, third] = [open("10.0.0.1"), open("10.0.0.1"), open("10.0.0.1")];
  expect([first.destroyed, second.destroyed, third.destroyed]).toEqual([false, false, true]);
  expect(open("10.0.0.2").destroyed).toBe(false);
  first.destroy();
  expect(open("10.0.0.1").destroyed).toBe(false);
  const local = ["127.0.0.1", "::ffff:127.0.0.1", "::1"].map((address) => [1, 2, 3, 4].map(() => open(address)));
  for (const sockets of local) expect(sockets.map(({ destroyed }) => destroyed)).toEqual([false, false, false, true]);
  connections.destroyAll();
  expect([second, ...local.flat()].every(({ destroyed }) => destroyed)).toBe(true);
});

test.each([
  ["result.csv", "result.csv", "result.csv"],
  ["two words.csv", "two_words.csv", "two%20words.csv"],
  ['a"\r\nSet-Cookie: x', "a___Set-Cookie__x", "a%22%0D%0ASet-Cookie%3A%20x"],
  ["../../etc/passwd", "__.._etc_passwd", "__.._etc_passwd"],
  [".bashrc", "_bashrc", "_bashrc"],
  ["größe.csv", "gr__e.csv", "gr%C3%B6%C3%9Fe.csv"],
])("the artifact %j is offered under a safe name", (name, plain, encoded) => {
  expect(attachment(name)).toBe(`attachment; filename="${plain}"; filename*=UTF-8''${encoded}`);
});
