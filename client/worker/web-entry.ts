import { expose } from "comlink";
import type { Backend } from "../../shared/sdk/task.ts";
import { findAdapter, webGpu } from "../gpu/webgpu.ts";
import { createComputeWorker } from "./compute.ts";

/** A compute worker as a Web Worker. */
expose(createComputeWorker({ importBundle, probeBackends, webgpu: webGpu() }));

async function importBundle(code: Uint8Array): Promise<unknown> {
  const url = URL.createObjectURL(new Blob([code as Uint8Array<ArrayBuffer>], { type: "text/javascript" }));
  try {
    return await import(/* @vite-ignore */ url);
  } finally {
    URL.revokeObjectURL(url);
  }
}

async function probeBackends(): Promise<readonly Backend[]> {
  const backends: Backend[] = ["wasm", "js"];
  if ((await findAdapter()) !== undefined) backends.push("webgpu");
  if (hasWebGl()) backends.push("webgl");
  return backends;
}

function hasWebGl(): boolean {
  const context = new OffscreenCanvas(1, 1).getContext("webgl2");
  if (context === null) return false;
  // Browsers allow few contexts at a time: give this one back.
  context.getExtension("WEBGL_lose_context")?.loseContext();
  return true;
}
