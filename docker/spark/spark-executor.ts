import {
  type ChunkName,
  type Executor,
  isS3,
  type OpenedSource,
  type ReadableSource,
  type StageRequest,
} from "../../coordinator/driving.ts";
import { KindlingError } from "../../shared/errors.ts";
import type { JobId } from "../../shared/ids.ts";
import { decodeValue, encodeValue } from "../../shared/protocol/value-codec.ts";
import type { Value } from "../../shared/value.ts";
import type { Link } from "./link.ts";
import { StageRecord, type StageCounts } from "./stage-record.ts";
import type { TaskMeta } from "./task-result.ts";

/** Bytes of outputs that are fetched together, while a result is collected. */
const FETCH_BYTES = 32 * 1024 * 1024;
/** What the AWS SDK reads of an environment: these names, and what begins with one that ends in `_`. */
const AWS_ENVIRONMENT = ["AWS_", "HOME"];
/** Bytes of small outputs that are kept here, so that they need not be fetched. */
const KEPT_BYTES = 64 * 1024 * 1024;

/** A source that task processes open themselves: by its path, or where it has none by its location. */
export interface LocatedSource extends ReadableSource {
  readonly location: string;
}

export interface SparkExecutorOptions {
  readonly link: Link;
  readonly bundle: string;
  readonly bundleFile: string;
  /** Bytes that one task may use. */
  readonly memoryBytes: number;
  openSource(file: string): Promise<LocatedSource>;
  readonly now: () => number;
}

/** What a replaying driver runs on in a Spark application: stages become RDDs, of which only the names and sizes come here. */
export class SparkExecutor implements Executor {
  readonly #options: SparkExecutorOptions;
  readonly #sources = new Map<number, LocatedSource>();
  readonly #stages = new Map<number, StageRecord>();
  /** Encoded outputs by `ORDINAL/PARTITION`: small ones, and those fetched ahead. */
  readonly #kept = new Map<string, Uint8Array>();
  readonly #ahead = new Map<string, Promise<Uint8Array>>();
  #keptBytes = 0;

  constructor(options: SparkExecutorOptions) {
    this.#options = options;
  }

  begin(): void {}

  async openSource(_job: JobId, ordinal: number, file: string): Promise<OpenedSource> {
    const source = await this.#options.openSource(file);
    this.#sources.set(ordinal, source);
    return source;
  }

  async keepValue(_job: JobId, ordinal: number, value: Value): Promise<void> {
    await this.#options.link.request({ op: "keep", key: `${ordinal}/0` }, [encodeValue(value)]);
  }

  async runStage(request: StageRequest): Promise<readonly Value[]> {
    const { link, now } = this.#options;
    const { ordinal, inputs } = request;
    const record = new StageRecord(request, now());
    this.#stages.set(ordinal, record);
    if (inputs.length === 0) return [];
    const { header, blobs } = this.#stageFrame(request);
    const reply = await link.request(header, blobs);
    const metas = reply.blobs.map((meta) => decodeValue(meta) as TaskMeta);
    record.finished(metas, now());
    for (const [partition, { inline }] of metas.entries()) {
      if (inline === undefined || this.#keptBytes + inline.byteLength > KEPT_BYTES) continue;
      this.#keptBytes += inline.byteLength;
      this.#kept.set(`${ordinal}/${partition}`, inline);
    }
    return metas.map(({ summary }) => summary);
  }

  async load({ task, bucket }: ChunkName): Promise<Value> {
    const { ordinal, partition } = placeOf(task);
    const key = `${ordinal}/${partition}`;
    const kept = this.#kept.get(key);
    if (kept !== undefined) return decodeValue(kept);
    const ahead = this.#ahead.get(key) ?? this.#fetch(ordinal, partition, bucket);
    this.#ahead.delete(key);
    return decodeValue(await ahead);
  }

  end(): void {
    for (const source of this.#sources.values()) void source.close?.();
  }

  /** What Spark tells of stages under way. */
  progressed(stages: readonly (StageCounts & { readonly ordinal: number })[]): void {
    for (const { ordinal, ...counts } of stages) this.#stages.get(ordinal)?.progressed(counts);
  }

  get stages(): readonly StageRecord[] {
    return [...this.#stages.values()];
  }

  /** Fetches an output, and with it those after it that are likely to be asked for next. */
  async #fetch(ordinal: number, from: number, bucket: number): Promise<Uint8Array> {
    const sizes = this.#stages.get(ordinal)?.sizes ?? [];
    let to = from + 1;
    for (let bytes = sizes[from] ?? FETCH_BYTES; to < sizes.length; to++) {
      bytes += sizes[to] ?? 0;
      if (bytes > FETCH_BYTES || this.#kept.has(`${ordinal}/${to}`) || this.#ahead.has(`${ordinal}/${to}`)) break;
    }
    const reply = this.#options.link.request({ op: "load", ordinal, bucket, from, to });
    const output = async (index: number): Promise<Uint8Array> => {
      const blob = (await reply).blobs[index];
      if (blob === undefined)
        throw new KindlingError("OutputLost", `Spark has no output ${from + index} of stage ${ordinal}`);
      return blob;
    };
    for (let next = from + 1; next < to; next++) {
      const coming = output(next - from);
      coming.catch(() => undefined); // Seen when it is asked for.
      this.#ahead.set(`${ordinal}/${next}`, coming);
    }
    return output(0);
  }

  /** A stage as the PySpark program takes it: what it needs to know in the header, what it only carries as blobs. */
  #stageFrame(request: StageRequest): { header: Record<string, unknown>; blobs: Uint8Array[] } {
    const { job, ordinal, kind, task, label, inputs, buckets, backend, broadcast } = request;
    const { bundle, bundleFile, memoryBytes } = this.#options;
    const [first] = inputs;
    const form = first?.kind === "value" ? "values" : first?.kind === "chunk" ? "outputs" : "buckets";
    const chunks = inputs.flatMap((input) => (input.kind === "chunk" ? [input.chunk] : []));
    // The partitions of a reduce read one bucket each of the same tasks.
    const named = first?.kind === "chunks" ? first.chunks : chunks;
    const parts = named.map((chunk) => placeOf(chunk.task)).map((place) => [place.ordinal, place.partition]);
    const place = broadcast === null ? null : placeOf(broadcast.task);
    const broadcastKey = place === null ? null : `${place.ordinal}/${place.partition}`;
    const sources = [...this.#sources].map(([number, { name, bytes, path, location, identity }]) => ({
      ...{ ordinal: number, name, bytes },
      ...(path === null ? { location, identity } : { path }),
    }));
    // Only tasks that read from S3 need what proves who they are.
    const isReadingS3 = [...this.#sources.values()].some(({ path, location }) => path === null && isS3(location));
    return {
      header: {
        ...{ op: "run", ordinal, label, buckets, tasks: inputs.length, inputs: form, parts, broadcast: broadcastKey },
        environment: isReadingS3 ? AWS_ENVIRONMENT : [],
        stage: {
          ...{ job, ordinal, kind, task, backend, buckets, bundle, bundleFile, memoryBytes },
          ...{ sources, inputs: form, broadcastKey },
        },
      },
      blobs: inputs.flatMap((input) => (input.kind === "value" ? [encodeValue(input.value)] : [])),
    };
  }
}

function placeOf(task: string): { readonly ordinal: number; readonly partition: number } {
  const [, ordinal, partition] = task.split("/");
  return { ordinal: Number(ordinal), partition: Number(partition) };
}
