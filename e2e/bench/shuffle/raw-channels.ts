import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { chromiumFlags, findChromium } from "../../support/chromium.ts";
import type { Contender } from "../model.ts";
import { makeRawPeer, type RawPeer } from "./raw-peer.ts";
import type { RawCall, RawReply } from "./raw-process.ts";

type Call = (method: keyof RawPeer, ...args: readonly (string | number)[]) => Promise<string | undefined>;

/** A peer in a page. */
async function pagePeer(page: Page): Promise<Call> {
  await page.evaluate(`globalThis.rawPeer = (${makeRawPeer.toString()})()`);
  return (method, ...args) =>
    page.evaluate(
      ([name, values]) => {
        const { rawPeer } = globalThis as unknown as {
          rawPeer: Record<string, (...args: readonly (string | number)[]) => Promise<string | undefined>>;
        };
        return rawPeer[name]?.(...values);
      },
      [method, args] as const,
    );
}

/** A peer in a process of its own, as a headless node is. */
function processPeer(child: ChildProcess): Call {
  const waiting = new Map<number, PromiseWithResolvers<string | undefined>>();
  let calls = 0;
  child.on("message", ({ call, result, error }: RawReply) => {
    const answer = waiting.get(call);
    waiting.delete(call);
    if (error === undefined) answer?.resolve(result);
    else answer?.reject(new Error(error));
  });
  child.on("exit", () => {
    for (const answer of waiting.values()) answer.reject(new Error("The process with plain data channels has ended"));
  });
  return (method, ...args) => {
    const message: RawCall = { call: ++calls, method, args };
    const answer = Promise.withResolvers<string | undefined>();
    waiting.set(message.call, answer);
    child.send(message);
    return answer.promise;
  };
}

/** Plain data channels between two pages and a process, each pair with one, all sending both ways at once: bytes a second in all. */
export function rawChannels(bytesEachWay: number): Contender {
  let browser: Browser | undefined;
  let child: ChildProcess | undefined;
  let links: { readonly name: string; readonly ends: readonly [Call, Call] }[] = [];
  return {
    name: "raw channels",
    async start() {
      browser = await chromium.launch({ executablePath: findChromium() ?? "", args: chromiumFlags });
      child = fork(join(import.meta.dirname, "raw-process.ts"));
      const one = await pagePeer(await browser.newPage());
      const two = await pagePeer(await browser.newPage());
      const three = processPeer(child);
      links = [
        { name: "page to page", ends: [one, two] },
        { name: "page to process", ends: [one, three] },
        { name: "process to page", ends: [three, two] },
      ];
      for (const { name, ends } of links) {
        const [from, to] = ends;
        const answer = await to("answer", name, (await from("offer", name)) ?? "");
        await from("accept", name, answer ?? "");
        await Promise.all(ends.map((end) => end("opened", name)));
      }
    },
    async measure() {
      const start = performance.now();
      await Promise.all(links.flatMap(({ name, ends }) => ends.map((end) => end("exchange", name, bytesEachWay))));
      const seconds = (performance.now() - start) / 1000;
      return { figures: { seconds, rate: (2 * links.length * bytesEachWay) / seconds } };
    },
    async stop() {
      child?.kill();
      await browser?.close();
    },
  };
}
