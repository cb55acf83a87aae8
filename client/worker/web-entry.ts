import { expose } from "comlink";
import type { Backend } from "../../shared/sdk/task.ts";
import { hasWebGl2, webGl } from "../gpu/webgl.ts";
import { findAdapter, webGpu } from "../gpu/webgpu.ts";
import { createHttpDataPlane } from "../transport/http-data-plane.ts";
import { createComputeWorker } from "./compute.ts";

/** A compute worker as a Web Worker. */
expose(
  createComputeWorker({
    importBundle,
    probeBackends,
    dataPlane: (url, secret) => createHttpDataPlane({ url, secret }),
    webgpu: webGpu(),
    webgl: webGl(),
  }),
);

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
  if (hasWebGl2()) backends.push("webgl");
  return backends;
}
