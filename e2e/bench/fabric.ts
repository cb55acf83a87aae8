import { bundleWorkload, loadWorkload } from "../../coordinator/index.ts";
import { blobHash } from "../../shared/ids.ts";
import type { JobView } from "../../shared/protocol/api.ts";
import type { ShuffleMode } from "../../shared/protocol/shuffle.ts";
import type { Value } from "../../shared/value.ts";
import { Cluster } from "../support/cluster.ts";
import { FreeBrowser } from "../support/free-browser.ts";

/** ms until a job is given up. */
const LIMIT = 1_200_000;

export interface NodeSpec {
  readonly kind: "tab" | "headless";
  /** Workers. */
  readonly slots: number;
  /** Of a headless node: what it may use, as `--memory` takes it. */
  readonly memory?: string;
}

/** A coordinator with nodes that stay joined and warm between jobs. */
export class Fabric {
  #cluster: Cluster | undefined;
  #browser: FreeBrowser | undefined;
  readonly #nodes: readonly NodeSpec[];
  readonly #dataRoot: string;

  /** Jobs may name the files in `dataRoot`. */
  constructor(nodes: readonly NodeSpec[], dataRoot: string) {
    this.#nodes = nodes;
    this.#dataRoot = dataRoot;
  }

  async start(): Promise<void> {
    // Nodes that connect to each other find one another at an address that is not loopback.
    const host = this.#nodes.length > 1 ? "0.0.0.0" : "127.0.0.1";
    const browser = this.#nodes.some(({ kind }) => kind === "tab") ? await FreeBrowser.start() : undefined;
    this.#browser = browser;
    const newPage = browser === undefined ? {} : { newPage: () => browser.newPage() };
    const cluster = await Cluster.start({ host, args: ["--data-root", this.#dataRoot], ...newPage });
    this.#cluster = cluster;
    for (const [index, { kind, slots, memory }] of this.#nodes.entries()) {
      const name = `${kind} ${index + 1}`;
      if (kind === "tab") await cluster.addTab(name, cluster.joinLink, slots);
      else await cluster.addNode(name, slots, memory === undefined ? [] : ["--memory", memory]);
      const joined = (await cluster.client.overview()).nodes.find((node) => node.name === name);
      if (joined?.slots !== slots) throw new Error(`${name} offers ${joined?.slots} workers, not ${slots}`);
    }
    await browser?.letAlone();
  }

  /** Submits a job over the API; its time is the job's own. */
  async run(workload: string, params: Record<string, Value>, shuffle: ShuffleMode = "auto"): Promise<JobView> {
    if (this.#cluster === undefined) throw new Error("the cluster has not been started");
    const id = await this.#cluster.client.submit({ workload, params, shuffle });
    return this.#cluster.result(id, LIMIT);
  }

  /** The most memory that was ever resident in each headless node's process, bytes. */
  peaks(): number[] {
    return (this.#cluster?.nodes ?? []).flatMap((node) => node.peakBytes ?? []);
  }

  /** The same for a workload of a file of its own. */
  async runFile(file: string, params: Record<string, Value>, shuffle: ShuffleMode): Promise<JobView> {
    if (this.#cluster === undefined) throw new Error("the cluster has not been started");
    const { client } = this.#cluster;
    const { code } = await bundleWorkload(file);
    const { name: workload } = await loadWorkload(code, file);
    const { hash } = await client.uploadFile(code);
    const id = await client.submit({ workload, bundle: blobHash(hash), params, shuffle });
    return this.#cluster.result(id, LIMIT);
  }

  async stop(): Promise<void> {
    await this.#browser?.close();
    await this.#cluster?.close();
    this.#browser = undefined;
    this.#cluster = undefined;
  }
}
