/** What this workload's tests share. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { TaskContext } from "kindling";
import { expect } from "vitest";
import { type DirectResult, type DirectStage, runDirect } from "../../shared/testing/direct-job.ts";
import type { Value } from "../../shared/value.ts";
import stringCount from "./workload.ts";

export const kernelBytes = readFileSync(join(import.meta.dirname, "kernel.wasm"));
export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Runs the job with both kernels, which must agree on every byte between stages too; gives the result. */
export async function runBoth(params: object, input?: Uint8Array): Promise<DirectResult> {
  const files = input === undefined ? {} : { "in.csv": input };
  const all = input === undefined ? params : { input: "in.csv", ...params };
  const js = await runDirect(stringCount, all, { backend: "js", files });
  const wasm = await runDirect(stringCount, all, { backend: "wasm", files, asyncReads: true });
  expect(wasm.stages.map(comparable)).toEqual(js.stages.map(comparable));
  expect(wasm.metrics).toEqual(js.metrics);
  expect(wasm.artifacts).toEqual(js.artifacts);
  expect(wasm.progress).toBe(js.progress);
  return wasm;
}

/** The context of a task on bytes that it is given, which reads no file. */
export const contextOf = <Broadcast, Summary extends Value>(
  broadcast: Broadcast,
  report: (summary: Summary) => void,
): TaskContext<Broadcast, Summary> => ({
  broadcast,
  partition: 0,
  buckets: 1,
  memoryBytes: 2 ** 30,
  signal: new AbortController().signal,
  open: () => {
    throw new Error("this task reads no file");
  },
  allocate: (bytes) => new Uint8Array(bytes),
  report,
  progress: () => {},
});

/** A stage with its bytes as text, which compare much faster. */
const comparable = (stage: DirectStage) => ({
  ...stage,
  outputs: stage.outputs.map((buckets) =>
    buckets.map((output) => (output instanceof Uint8Array ? output.toHex() : output)),
  ),
});

/** The message with which both kernels' jobs fail. */
export async function failureOf(params: object, input: Uint8Array): Promise<string> {
  const all = { input: "in.csv", ...params };
  const messages = await Promise.all(
    (["js", "wasm"] as const).map((backend) =>
      runDirect(stringCount, all, { backend, files: { "in.csv": input } }).then(
        () => "succeeded",
        (error: unknown) => {
          expect(error).toMatchObject({ code: "BadInput", retryable: false });
          return (error as Error).message;
        },
      ),
    ),
  );
  expect(messages[1]).toBe(messages[0]);
  return messages[0] ?? "";
}

export const resultText = (result: DirectResult): string =>
  new TextDecoder().decode(result.artifacts.get("counts.csv"));
