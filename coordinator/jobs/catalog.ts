import { toJSONSchema } from "zod";
import { KindlingError } from "../../shared/errors.ts";
import { type BlobHash, blobHash } from "../../shared/ids.ts";
import type { WorkloadView } from "../../shared/protocol/api.ts";
import type { Workload } from "../../shared/sdk/workload.ts";
import type { Value } from "../../shared/value.ts";
import type { BlobStore } from "../store/blobs.ts";
import { builtinPath, bundleWorkload } from "./bundle.ts";
import { loadWorkload } from "./workload.ts";

export interface CatalogEntry {
  /** Of the workload's bundle. */
  readonly hash: BlobHash;
  readonly workload: Workload;
}

/** The workloads that a coordinator knows: the built-in ones by name, and any by the hash of its bundle, each loaded once. */
export class WorkloadCatalog {
  readonly #names: readonly string[];
  readonly #blobs: Pick<BlobStore, "get" | "put">;
  readonly #builtins = new Map<string, Promise<CatalogEntry>>();
  readonly #loaded = new Map<BlobHash, CatalogEntry>();

  /** `names` are those of the built-in workloads. */
  constructor(names: readonly string[], blobs: Pick<BlobStore, "get" | "put">) {
    this.#names = names;
    this.#blobs = blobs;
  }

  /** What a client may know of the built-in workloads; loads them. */
  async views(): Promise<readonly WorkloadView[]> {
    const entries = await Promise.all(this.#names.map((name) => this.named(name)));
    return entries.map(({ workload }) => ({
      name: workload.name,
      description: workload.description ?? "",
      params: toJSONSchema(workload.params, { io: "input", unrepresentable: "any" }) as Value,
    }));
  }

  /** The built-in workload of that name. Throws `UnknownWorkload`. */
  async named(name: string): Promise<CatalogEntry> {
    if (!this.#names.includes(name)) {
      throw new KindlingError(
        "UnknownWorkload",
        `There is no workload ${name}; built in are ${this.#names.join(", ")}`,
      );
    }
    const loading = this.#builtins.get(name) ?? this.#bundled(name);
    this.#builtins.set(name, loading);
    return loading;
  }

  /** The workload whose bundle was stored under that hash; `origin` names it in errors. */
  async load(hash: BlobHash, origin: string): Promise<CatalogEntry> {
    const known = this.#loaded.get(hash);
    if (known) return known;
    const entry = { hash, workload: await loadWorkload(await this.#blobs.get(hash), origin) };
    this.#loaded.set(hash, entry);
    return entry;
  }

  /** The workload of that bundle if it has been loaded. */
  known(hash: string): Workload | undefined {
    return this.#loaded.get(blobHash(hash))?.workload;
  }

  async #bundled(name: string): Promise<CatalogEntry> {
    const bundle = await bundleWorkload(builtinPath(name));
    await this.#blobs.put(bundle.code, bundle.hash);
    return this.load(bundle.hash, name);
  }
}
