import { webGl } from "../../client/gpu/webgl.ts";
import { findAdapter, webGpu } from "../../client/gpu/webgpu.ts";
import { toWireError } from "../../shared/errors.ts";
import { sha256Hex } from "../../shared/hash.ts";
import { encodeValue } from "../../shared/protocol/value-codec.ts";
import type { Backend, Task } from "../../shared/sdk/task.ts";
import { defineWorkload, type Workload } from "../../shared/sdk/workload.ts";
import * as z from "../../shared/sdk/z.ts";
import type { Value } from "../../shared/value.ts";
import { runDirect } from "../../shared/testing/direct-job.ts";
import { countCsvGpu, countParquetGpu, countTuplesGpu } from "../../workloads/string-count/gpu/count-gpu.ts";
import { randomForest, randomRows } from "../../workloads/forecast/prediction/testing.ts";
import { predict } from "../../workloads/forecast/tasks/predict.ts";
import forecast from "../../workloads/forecast/workload.ts";
import pi from "../../workloads/pi/workload.ts";
import type { TableOptions } from "../../workloads/string-count/gpu/tally.ts";
import { tupleParameters, tupleSpec } from "../../workloads/string-count/parameters.ts";
import { count, countParquet, generate } from "../../workloads/string-count/tasks.ts";
import stringCount from "../../workloads/string-count/workload.ts";

/** Runs in a page of a real browser: whole jobs in one thread, with the kernels of one backend. */

/** Tuples of any place in the sequence, without all those before. */
const tuplesFrom = defineWorkload({
  name: "tuples-from",
  params: tupleParameters.extend({ start: z.number() }),
  tasks: { generate },
  async drive(job, params) {
    const broadcast = await job.broadcast({ spec: tupleSpec(params), splitters: ["M"] });
    const range = { start: params.start, count: params.tuples };
    return job.collect(await job.shuffle(generate, [range], { broadcast, buckets: 2 }));
  },
});

/** Points of any place in the sequence. */
const piFrom = defineWorkload({
  name: "pi-from",
  params: z.object({ seed: z.number(), start: z.number(), count: z.number() }),
  tasks: pi.tasks,
  async drive(job, range) {
    return job.collect(await job.shuffle(pi.tasks["count"] as Task<Value, readonly Value[]>, [range], { buckets: 1 }));
  },
});

/** Trees and rows of every kind of number. */
const leafSums = defineWorkload({
  name: "leaf-sums",
  params: z.object({ seed: z.number() }),
  tasks: { predict },
  async drive(job, { seed }) {
    const columns = [1, 3, 40][seed % 3] ?? 1;
    const { features, count } = randomRows(seed, columns, 777);
    const names = Array.from({ length: columns }, (_, column) => `c${column}`);
    const query = { dates: Array.from({ length: count }, String), features };
    const broadcast = await job.broadcast({ features: names, queries: { some: query } });
    return job.collect(await job.map(predict, [randomForest(seed, columns, 9)], { broadcast }));
  },
});

const WORKLOADS: Readonly<Record<string, Workload>> = {
  "string-count": stringCount,
  "tuples-from": tuplesFrom,
  pi,
  "pi-from": piFrom,
  forecast,
  "leaf-sums": leafSums,
};

const webgl = webGl();
let losesDevice = false;
/** Opens devices that a test can lose. */
const webgpu = webGpu(async () => {
  const adapter = await findAdapter();
  if (adapter === undefined) return undefined;
  const request = adapter.requestDevice.bind(adapter);
  adapter.requestDevice = async (descriptor) => {
    const device = await request(descriptor);
    if (losesDevice) device.destroy();
    return device;
  };
  return adapter;
});

/** What a job's stages made, in a form to compare: hashes of outputs, and summaries. Or why it failed. */
export interface PageRun {
  readonly stages: readonly string[];
  readonly metrics: string;
  readonly error: string;
}

export interface PageRequest {
  readonly workload: string;
  readonly params: unknown;
  readonly files: Readonly<Record<string, string>>;
  readonly backend: Backend;
  readonly table?: TableOptions;
  /** The GPU is lost once it has been opened. */
  readonly losesDevice?: boolean;
}

async function run({ workload, params, files, backend, table = {}, ...more }: PageRequest): Promise<PageRun> {
  losesDevice = more.losesDevice ?? false;
  Object.assign(count, { webgpu: (part, context) => countCsvGpu(part, context, table) } satisfies Partial<
    typeof count
  >);
  Object.assign(countParquet, {
    webgpu: (part, context) => countParquetGpu(part, context, table),
  } satisfies Partial<typeof countParquet>);
  Object.assign(generate, {
    webgpu: (range, context) => countTuplesGpu(range, context, table),
  } satisfies Partial<typeof generate>);
  const chosen = WORKLOADS[workload];
  if (chosen === undefined) throw new Error(`This page has no workload ${workload}`);
  const bytes = Object.fromEntries(
    Object.entries(files).map(([name, base64]) => [name, Uint8Array.fromBase64(base64)]),
  );
  try {
    const { stages, metrics } = await runDirect(chosen, params, {
      backend,
      files: bytes,
      asyncReads: true,
      webgpu,
      webgl,
    });
    const lines: string[] = [];
    for (const { label, outputs, summaries } of stages) {
      const hash = async (value: unknown) => sha256Hex(encodeValue(value as Parameters<typeof encodeValue>[0]));
      lines.push(`${label}: ${await hash(outputs)} ${await hash(summaries)}`);
    }
    return { stages: lines, metrics: await sha256Hex(encodeValue(metrics as never)), error: "" };
  } catch (error) {
    const { code, message } = toWireError(error);
    return { stages: [], metrics: "", error: `${code}: ${message}` };
  }
}

Object.assign(globalThis, { run });
