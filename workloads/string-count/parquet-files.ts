import type { Dataset, Job, Source } from "kindling";
import type { FileGroup } from "./counted.ts";
import type { Parameters } from "./parameters.ts";
import {
  type ParquetFile,
  type ParquetPart,
  type ParquetPlan,
  parquetParts,
  type RowGroup,
  sampledParts,
  sampledRows,
  unpackGroups,
} from "./parquet/plan.ts";
import { badParquetRowError, type ParquetSummary } from "./parquet/problems.ts";
import { countParquet, inspectParquetFile } from "./tasks.ts";

interface File {
  readonly source: Source;
  readonly file: ParquetFile;
  readonly groups: readonly RowGroup[];
}

/** About how many bytes of CSV a row is. */
const BYTES_PER_ROW = 8;

/** Reads each file's footer, and puts together the files whose columns are stored alike. */
export async function parquetGroups(job: Job, params: Parameters, sources: readonly Source[]): Promise<FileGroup[]> {
  if (sources.length === 0) return [];
  const names = { key: params.key ?? "key", value: params.value ?? "value" };
  const inspected = await job.map(
    inspectParquetFile,
    sources.map(({ ordinal }) => ({ source: ordinal, ...names })),
    { label: "read footer" },
  );
  const groups = new Map<string, File[]>();
  for (const [index, source] of sources.entries()) {
    const file = await job.fetch(inspected, index);
    const id = `${file.valueType} ${file.keyIsOptional} ${file.valueIsOptional}`;
    groups.set(id, [...(groups.get(id) ?? []), { source, file, groups: unpackGroups(file.groups) }]);
  }
  return Array.from(groups.values(), (files) => parquetGroup(job, params, names, files));
}

function parquetGroup(
  job: Job,
  params: Parameters,
  names: { readonly key: string; readonly value: string },
  files: readonly File[],
): FileGroup {
  const rows = files.reduce((total, { groups }) => total + rowsOf(groups), 0);
  const [first] = files;
  const plan = {
    valueType: first?.file.valueType ?? "INT64",
    keyIsOptional: first?.file.keyIsOptional ?? false,
    valueIsOptional: first?.file.valueIsOptional ?? false,
    ...names,
    skipBadRows: params.onBadRow === "skip",
  };
  return {
    bytes: rows * BYTES_PER_ROW,
    async sample() {
      const parts = files.flatMap(({ source, groups }) => sampledParts(source.ordinal, groups));
      const broadcast = await job.broadcast<ParquetPlan>({ ...plan, isSample: true, splitters: [] });
      const shards = await job.shuffle(countParquet, parts, {
        broadcast,
        buckets: 1,
        backend: params.backend,
        label: "sample keys",
      });
      return { shards, tuples: tuplesOf(shards), share: sampledRows(parts) / rows };
    },
    async count(splitters) {
      const parts = files.flatMap(({ source, groups }) =>
        parquetParts(source.ordinal, groups, params.partitions, params.taskMemory),
      );
      const broadcast = await job.broadcast<ParquetPlan>({ ...plan, isSample: false, splitters });
      const shards = await job.shuffle(countParquet, parts, {
        broadcast,
        buckets: splitters.length + 1,
        backend: params.backend,
      });
      failOnBadRow(files, parts, shards.summaries, names);
      return {
        shards,
        tuples: tuplesOf(shards),
        skippedRows: shards.summaries.reduce((total, { skipped }) => total + skipped, 0),
      };
    },
  };
}

const tuplesOf = ({ summaries }: Dataset<Uint8Array, ParquetSummary>): number =>
  summaries.reduce((total, { tuples }) => total + tuples, 0);

function failOnBadRow(
  files: readonly File[],
  parts: readonly ParquetPart[],
  summaries: readonly ParquetSummary[],
  names: { readonly key: string; readonly value: string },
): void {
  for (const [index, { bad }] of summaries.entries()) {
    if (bad === null) continue;
    const part = parts[index] as ParquetPart;
    const { groups, source } = files.find((each) => each.source.ordinal === part.source) as File;
    const before = groups.filter((group) => group.index < (part.groups[0]?.index ?? 0));
    throw badParquetRowError(source.name, bad, rowsOf(before) + bad.row + 1, names[bad.column]);
  }
}

const rowsOf = (groups: readonly RowGroup[]): number => groups.reduce((total, { rows }) => total + rows, 0);
