import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { WasmInstances } from "./wasm-instances.ts";

/** (module (memory (export "memory") 1)) */
const MEMORY_WASM = Uint8Array.of(
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
  ...[0x05, 0x03, 0x01, 0x00, 0x01],
  ...[0x07, 0x0a, 0x01, 0x06, 0x6d, 0x65, 0x6d, 0x6f, 0x72, 0x79, 0x02, 0x00],
);

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

test("the memory of a finished stage can be collected as soon as it is told of", async () => {
  const memories: WeakRef<object>[] = [];
  const dropped: { readonly bytes: number; readonly isFree: boolean }[] = [];
  const instances = new WasmInstances((bytes) => {
    collect();
    dropped.push({ bytes, isFree: memories.every((memory) => memory.deref() === undefined) });
  });
  await instances.ofStage("stage 0", "task", MEMORY_WASM).then(({ memory }) => {
    memories.push(new WeakRef(memory as WebAssembly.Memory));
  });
  await setImmediate(); // What a WeakRef is made of lives to the end of that turn.
  await instances.ofStage("stage 1", "task", MEMORY_WASM);
  expect(dropped).toEqual([{ bytes: 2 ** 16, isFree: true }]);
});
