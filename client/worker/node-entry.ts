import { parentPort } from "node:worker_threads";
import { expose } from "comlink";
import { askBySocket } from "../headless/ask-by-socket.ts";
import { askByFetch } from "../transport/answer.ts";
import { createHttpDataPlane } from "../transport/http-data-plane.ts";
import { collectGarbage } from "./collect-node.ts";
import { createComputeWorker } from "./compute.ts";
import { nodeEndpoint } from "./node-endpoint.ts";
import { openFile } from "./node-files.ts";

/** A compute worker as a thread of Node. */
if (parentPort === null) throw new Error("This module is the entry of a worker thread");

const ask = askBySocket(askByFetch(fetch));
const worker = createComputeWorker({
  // Node imports no `blob:` URLs, and files would need a place to lie.
  importBundle: (code) => import(`data:text/javascript;base64,${code.toBase64()}`),
  openFile,
  dataPlane: (url, secret) => createHttpDataPlane({ url, secret, ask }),
  collect: collectGarbage,
  probeBackends: async () => ["wasm", "js"],
});
expose(worker, nodeEndpoint(parentPort));
