import { rmSync } from "node:fs";
import { join } from "node:path";
import type { JobView } from "../../../shared/protocol/api.ts";
import type { ShuffleMode } from "../../../shared/protocol/shuffle.ts";
import type { Value } from "../../../shared/value.ts";
import { Fabric, type NodeSpec } from "../fabric.ts";
import { folders } from "../folders.ts";
import { runLocal } from "../local.ts";
import type { Contender, Measurement } from "../model.ts";
import { optionsOf } from "../options-of.ts";
import type { Python } from "../../support/python.ts";
import { describeCounts, readCounts } from "./counts-file.ts";

export type Params = Readonly<Record<string, Value>>;

interface Count {
  readonly figures: Readonly<Record<string, number>>;
  /** The metrics that go with the result file. */
  readonly says?: { readonly keys: Value; readonly sum: Value };
}

interface LocalOptions {
  readonly name?: string;
  readonly slots?: number;
  /** `--memory`. */
  readonly memory?: string;
  /** What its result is called, where contenders of a case have different ones. */
  readonly fact?: string;
}

/** Makes contenders that count the same tuples, each into a file of its own. */
export function contenderMaker(python: Python, keep: boolean) {
  /** The result that `work` writes to a file; what it says of keys and sum must be true of the file. */
  async function counted(file: string, work: (out: string) => Promise<Count>, fact = "result"): Promise<Measurement> {
    const out = join(folders.out, file);
    try {
      const { figures, says } = await work(out);
      const counts = await readCounts(out);
      if (says !== undefined && (says.keys !== counts.keys || Number(says.sum) !== counts.sum)) {
        throw new Error(`says ${String(says.keys)} keys, sum ${String(says.sum)}; writes ${describeCounts(counts)}`);
      }
      return { figures, facts: { [fact]: describeCounts(counts) } };
    } finally {
      if (!keep) rmSync(out, { force: true });
    }
  }

  function cluster(name: string, nodes: readonly NodeSpec[], params: Params, shuffle: ShuffleMode = "auto"): Contender {
    const fabric = new Fabric(nodes, folders.data);
    return {
      name,
      start: () => fabric.start(),
      stop: () => fabric.stop(),
      async measure() {
        const job = await fabric.run("string-count", { ...params }, shuffle);
        const { keys, sum } = job.metrics;
        const sha256 = job.artifacts[0]?.sha256 ?? "no result file";
        const result = describeCounts({ sha256, keys: Number(keys), sum: Number(sum) });
        return { figures: { seconds: job.seconds, ...(nodes.length > 1 ? relayed(job) : {}) }, facts: { result } };
      },
    };
  }

  interface PeerRequest {
    readonly engine: "duckdb" | "polars";
    readonly source: "csv" | "parquet" | "table";
    readonly file: string;
    readonly total: string;
    readonly memory: string | null;
  }
  const peerRun =
    ({ file, ...request }: PeerRequest) =>
    async (out: string): Promise<Count> => {
      const whole = { ...request, file: join(folders.data, file), out, spill: folders.spill };
      const { seconds, peakBytes } = await python.run(join(import.meta.dirname, "peers.py"), whole);
      return { figures: { seconds: Number(seconds), peakBytes: Number(peakBytes) } };
    };

  return {
    counted,

    /** `kindling run string-count` in a process of its own; `input` is a file's path. */
    local(params: Params, options: LocalOptions = {}): Contender {
      const { name = "local", slots = 2, memory, fact } = options;
      return {
        name,
        measure: () =>
          counted(
            `${name.replaceAll(" ", "-")}.csv`,
            async (out) => {
              const limit = memory === undefined ? [] : ["--memory", memory];
              const own = ["--slots", String(slots), "--out", out, ...limit];
              const { summary, peakBytes } = await runLocal("string-count", [...optionsOf(params), ...own]);
              const { keys, sum } = summary.metrics;
              const figures = { seconds: summary.seconds, ...(peakBytes === null ? {} : { peakBytes }) };
              return { figures, says: { keys, sum } };
            },
            fact,
          ),
      };
    },

    /** A job on a cluster's nodes, which are one tab or headless node of two workers; `input` is a name in the data folder. */
    fabric(kind: NodeSpec["kind"], params: Params): Contender {
      return cluster(kind, [{ kind, slots: 2 }], params);
    },

    /** A job on two tabs and a headless node, which get each other's outputs in one way. */
    shuffling(shuffle: "peer" | "relay", params: Params): Contender {
      const kinds = ["tab", "tab", "headless"] as const;
      return cluster(
        shuffle,
        kinds.map((kind) => ({ kind, slots: 1 })),
        params,
        shuffle,
      );
    },

    /** DuckDB or Polars; `table` counts what was loaded into memory before. */
    peer(
      engine: "duckdb" | "polars",
      source: "csv" | "parquet" | "table",
      file: string,
      { total = "value", memory = null }: { total?: string; memory?: string | null } = {},
    ): Contender {
      return {
        name: engine,
        measure: () => counted(`${engine}.csv`, peerRun({ engine, source, file, total, memory })),
      };
    },

    /** DuckDB with the first of these limits, in MiB, with which it does not run out of memory; found in the first round. */
    duckdbWithLeast(name: string, file: string, limits: readonly number[]): Contender {
      let left = [...limits];
      return {
        name,
        async measure() {
          for (;;) {
            const [limit] = left;
            if (limit === undefined) throw new Error(`Out of memory with ${limits.at(-1)} MiB too`);
            const run = peerRun({ engine: "duckdb", source: "csv", file, total: "value", memory: `${limit}MiB` });
            try {
              const { figures, facts } = await counted("duckdb-least.csv", run);
              return {
                figures: { ...figures, limitBytes: limit * 2 ** 20 },
                ...(facts === undefined ? {} : { facts }),
              };
            } catch (error) {
              if (!/out of memory/i.test(String(error))) throw error;
              left = left.slice(1);
            }
          }
        },
      };
    },
  };
}

/** The share of shuffled bytes that passed through the coordinator. */
function relayed({ shuffle }: JobView): Readonly<Record<string, number>> {
  if (shuffle === undefined) return {};
  const { peer, relay, local } = shuffle;
  const total = peer + relay + local;
  return total === 0 ? {} : { relayShare: relay / total };
}
