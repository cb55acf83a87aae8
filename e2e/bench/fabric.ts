import type { JobView } from "../../shared/protocol/api.ts";
import type { Value } from "../../shared/value.ts";
import { Cluster } from "../support/cluster.ts";

/** ms until a job is given up. */
const LIMIT = 1_200_000;
const SLOTS = 2;

export type NodeKind = "tab" | "headless";

/** A coordinator with one node of two workers, which stays joined and warm between jobs. */
export class Fabric {
  #cluster: Cluster | undefined;
  readonly #kind: NodeKind;
  readonly #dataRoot: string;

  /** Jobs may name the files in `dataRoot`. */
  constructor(kind: NodeKind, dataRoot: string) {
    this.#kind = kind;
    this.#dataRoot = dataRoot;
  }

  async start(): Promise<void> {
    const cluster = await Cluster.start({ args: ["--data-root", this.#dataRoot] });
    this.#cluster = cluster;
    if (this.#kind === "tab") await cluster.addTab("tab", cluster.joinLink, SLOTS);
    else await cluster.addNode("headless", SLOTS);
    const [node] = (await cluster.client.overview()).nodes;
    if (node?.slots !== SLOTS) throw new Error(`the ${this.#kind} node offers ${node?.slots} workers, not ${SLOTS}`);
  }

  /** Submits a job over the API; its time is the job's own. */
  async run(workload: string, params: Record<string, Value>): Promise<JobView> {
    if (this.#cluster === undefined) throw new Error("the cluster has not been started");
    return this.#cluster.result(await this.#cluster.submit(workload, params), LIMIT);
  }

  async stop(): Promise<void> {
    await this.#cluster?.close();
    this.#cluster = undefined;
  }
}
