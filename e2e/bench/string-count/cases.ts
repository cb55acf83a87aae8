import { join } from "node:path";
import { folders } from "../folders.ts";
import type { Bar, Case } from "../model.ts";
import type { Python } from "../../support/python.ts";
import { contenderMaker, type Params } from "./contenders.ts";
import { bulkBytesEachWay, bulkShuffle } from "../shuffle/bulk.ts";
import { rawChannels } from "../shuffle/raw-channels.ts";
import { compileFloor, floor, scan } from "./floor.ts";
import { type InputName, inputName, tuplesAt } from "./inputs.ts";

/** A case, and the input files that it reads. */
export interface CountCase extends Case {
  readonly inputs: readonly { readonly input: InputName; readonly tuples: number }[];
}

const PEERS = ["duckdb", "polars"];
const NO_NAMESPACE = "nodes find each other only in a private network namespace, and none can be made here";
const DUCKDB_LEAST = "duckdb, more memory";

/** Ours against the faster of the peers. */
const barsAgainstPeers = (local: number, tab: number): Bar[] => [
  { label: "local ÷ peer", of: "local", over: PEERS, most: local },
  { label: "one tab, 2 workers ÷ peer", of: "tab", over: PEERS, most: tab },
];

/** All cases at a share of their full size. */
export function stringCountCases(python: Python, scale: number, keep: boolean): CountCase[] {
  const make = contenderMaker(python, keep);
  const { local, fabric, shuffling, peer } = make;
  const tuples = tuplesAt(scale);
  const millions = `${tuples / 1e6}M tuples`;
  const ten = 10 * tuples;

  /** One input file, counted by us on both executors and by both peers. */
  const fromFile = (
    name: string,
    title: string,
    input: InputName,
    bars: Bar[],
    needs: Case["needs"] = [],
  ): CountCase => {
    const file = inputName(input, tuples);
    const format = input === "parquet3" ? "parquet" : "csv";
    return {
      ...{ name, title: `${title}, ${millions}`, inputs: [{ input, tuples }], bars, needs },
      contenders: [
        local({ input: join(folders.data, file), format }),
        peer("duckdb", format, file),
        peer("polars", format, file),
        fabric("tab", { input: file, format }),
      ],
    };
  };
  const letters3 = inputName("letters3", tuples);
  const letters6 = inputName("letters6", tuples);
  const generated = (count: number, keyLength: number): Params => ({ tuples: count, keyLength });
  const compilerProblem = compileFloor();

  return [
    fromFile("csv-3", "CSV, 3 letters, 17,576 keys", "letters3", barsAgainstPeers(0.1, 0.4)),
    fromFile("csv-5", "CSV, 5 letters, 11.9M keys", "letters5", barsAgainstPeers(0.25, 0.4)),
    fromFile("csv-zipf", "CSV, Zipf words of 1–24 bytes, 1M keys", "zipf", barsAgainstPeers(0.2, 0.5)),
    fromFile("parquet-3", "Parquet, 3 letters", "parquet3", barsAgainstPeers(1.0, 1.5), [
      { flag: "--format", word: "parquet" },
    ]),
    {
      name: "generated-3",
      title: `generated on the nodes, 3 letters; the peers count a table in memory, ${millions}`,
      inputs: [{ input: "letters3", tuples }],
      contenders: [
        local(generated(tuples, 3)),
        peer("duckdb", "table", letters3, { total: "count" }),
        peer("polars", "table", letters3, { total: "count" }),
        fabric("tab", generated(tuples, 3)),
      ],
      bars: barsAgainstPeers(0.6, 0.8),
    },
    {
      name: "csv-6-memory",
      title: `CSV, 6 letters, ~85M keys, --memory 256M, ${millions}`,
      inputs: [{ input: "letters6", tuples }],
      contenders: [
        local({ input: join(folders.data, letters6) }, { memory: "256M" }),
        peer("duckdb", "csv", letters6, { memory: "256MiB" }),
        make.duckdbWithLeast(DUCKDB_LEAST, letters6, [512, 768, 1024, 1536, 2048, 3072, 4096]),
      ],
      bars: [
        { label: "local ÷ DuckDB with the same limit", of: "local", over: ["duckdb"], most: 1.5 },
        {
          label: "local with 256 MiB ÷ DuckDB with the least it finishes with",
          of: "local",
          over: [DUCKDB_LEAST],
          most: 1.5,
        },
        { label: "resident, bytes", of: "local", figure: "peakBytes", average: "max", most: 400e6 },
      ],
    },
    {
      name: "floor",
      title: `distance to a plain C loop on one core, CSV, 3 letters, ${millions}`,
      inputs: [{ input: "letters3", tuples }],
      ...(compilerProblem === undefined ? {} : { problem: compilerProblem }),
      contenders: [
        local({ input: join(folders.data, letters3) }, { name: "one worker", slots: 1 }),
        scan(make, "kernel in memory", letters3),
        floor(make, "C in memory", "memory", letters3),
        floor(make, "C from file", "file", letters3),
      ],
      bars: [
        { label: "scan and count in memory ÷ C loop", of: "kernel in memory", over: ["C in memory"], most: 2 },
        { label: "whole job on one worker ÷ C loop", of: "one worker", over: ["C in memory"], most: 2 },
      ],
    },
    {
      name: "tax-generated",
      title: `fabric tax: one headless node, ${ten / 1e6}M generated tuples`,
      inputs: [],
      contenders: [local(generated(ten, 3)), fabric("headless", generated(ten, 3))],
      bars: [{ label: "headless node ÷ local", of: "headless", over: ["local"], most: 1.1 }],
    },
    {
      name: "tax-csv",
      title: `fabric tax: one headless node, CSV, 3 letters, ${millions}`,
      inputs: [{ input: "letters3", tuples }],
      contenders: [local({ input: join(folders.data, letters3) }), fabric("headless", { input: letters3 })],
      bars: [{ label: "headless node ÷ local", of: "headless", over: ["local"], most: 2 }],
    },
    {
      name: "shuffle",
      title: `generated, 5 letters, shuffled between two tabs and a headless node, ${millions}`,
      inputs: [],
      needs: [{ flag: "--shuffle", word: "peer" }],
      ...(process.env["KINDLING_TEST_ADDRESS"] === undefined ? { problem: NO_NAMESPACE } : {}),
      contenders: [shuffling("peer", generated(tuples, 5)), shuffling("relay", generated(tuples, 5))],
      bars: [
        {
          label: "share of bytes through the coordinator",
          of: "peer",
          figure: "relayShare",
          average: "max",
          most: 0.05,
        },
      ],
    },
    {
      name: "shuffle-rate",
      title: "blocks of bytes shuffled between two tabs and a headless node, against plain data channels",
      inputs: [],
      needs: [{ flag: "--shuffle", word: "peer" }],
      ...(process.env["KINDLING_TEST_ADDRESS"] === undefined ? { problem: NO_NAMESPACE } : {}),
      contenders: [bulkShuffle(scale), rawChannels(bulkBytesEachWay(scale))],
      bars: [
        {
          label: "bytes a second between nodes ÷ plain data channels",
          of: "blocks by peers",
          over: ["raw channels"],
          figure: "rate",
          least: 0.7,
        },
      ],
    },
    {
      name: "ten-times",
      title: `generated, 5 letters: ${ten / 1e6}M tuples against ${tuples / 1e6}M`,
      inputs: [],
      contenders: [
        local(generated(tuples, 5), { name: "once", fact: "result of the fewer" }),
        local(generated(ten, 5), { name: "ten times", fact: "result of the more" }),
      ],
      bars: [
        { label: "ten times ÷ once, time", of: "ten times", over: ["once"], most: 11 },
        // The same peak, but for what the garbage collector leaves lying.
        {
          label: "ten times ÷ once, memory",
          of: "ten times",
          over: ["once"],
          figure: "peakBytes",
          average: "max",
          most: 1.1,
        },
      ],
    },
  ];
}
