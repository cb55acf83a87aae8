import type { JobView } from "../../shared/protocol/api.ts";
import type { JobRecord } from "../store/journal.ts";

/** Ended jobs that are kept; the oldest beyond them go, with their result files. */
const KEPT_JOBS = 200;

/** The ended jobs that are one too many, the oldest first. `records` come in the order of their creation. */
export function expired(records: Iterable<JobRecord>): JobRecord[] {
  const ended = [...records].filter(({ status }) => status !== "running");
  return ended.slice(0, Math.max(0, ended.length - KEPT_JOBS));
}

/** Hashes of a job's result files. */
export function artifactHashes({ outcome }: JobRecord): string[] {
  const artifacts = (outcome as { artifacts?: JobView["artifacts"] } | null)?.artifacts ?? [];
  return artifacts.map(({ sha256 }) => sha256);
}

/** Hashes that a kept job needs: its result files, its bundle, and the uploads that its parameters name. */
export function hashesOf(record: JobRecord): string[] {
  const uploads = JSON.stringify(record.spec.params, plain).matchAll(/upload:([0-9a-f]{64})/g);
  return [...artifactHashes(record), record.spec.bundle, ...Array.from(uploads, ([, hash]) => hash ?? "")];
}

const plain = (_key: string, value: unknown): unknown => (typeof value === "bigint" ? value.toString() : value);
