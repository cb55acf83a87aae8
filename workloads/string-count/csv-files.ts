import type { Dataset, Job, Source } from "kindling";
import { badRowError } from "./bad-row.ts";
import { checkBorders } from "./borders.ts";
import type { FileGroup } from "./counted.ts";
import type { CountSummary, CsvPart, CsvPlan, Dialect } from "./counting.ts";
import { delimiterByte, type Parameters } from "./parameters.ts";
import { byteRanges, partsOfBytes, sampleRanges } from "./plan.ts";
import { count, inspectFile } from "./tasks.ts";

interface CsvFile {
  readonly source: Source;
  /** Where the first record after the header begins. */
  readonly start: number;
}

/** Names of the two columns: without a header they are numbers. */
const columnNames = (params: Parameters) =>
  params.header
    ? { key: params.key ?? "key", value: params.value ?? "value" }
    : { key: params.key ?? "1", value: params.value ?? "2" };

/** Reads each file's header, and puts together the files that have the same columns. */
export async function csvGroups(job: Job, params: Parameters, sources: readonly Source[]): Promise<FileGroup[]> {
  if (sources.length === 0) return [];
  const delimiter = delimiterByte(params.delimiter) ?? 0;
  const names = columnNames(params);
  const inspected = await job.map(
    inspectFile,
    sources.map(({ ordinal }) => ({ source: ordinal, delimiter, header: params.header, ...names })),
    { label: "read header" },
  );
  const groups = new Map<string, { readonly dialect: Dialect; readonly files: CsvFile[] }>();
  for (const [index, source] of sources.entries()) {
    const { dialect, start } = await job.fetch(inspected, index);
    const id = `${dialect.columns} ${dialect.key} ${dialect.value}`;
    const group = groups.get(id) ?? { dialect, files: [] };
    groups.set(id, group);
    group.files.push({ source, start });
  }
  return Array.from(groups.values(), ({ dialect, files }) => csvGroup(job, params, dialect, files));
}

function csvGroup(job: Job, params: Parameters, dialect: Dialect, files: readonly CsvFile[]): FileGroup {
  const bytes = files.reduce((total, { source, start }) => total + source.bytes - start, 0);
  const plan = { dialect, skipBadRows: params.onBadRow === "skip" };
  return {
    bytes,
    async sample() {
      const parts = sampledParts(files);
      const broadcast = await job.broadcast<CsvPlan>({ ...plan, isSample: true, splitters: [] });
      const shards = await job.shuffle(count, parts, {
        broadcast,
        buckets: 1,
        backend: params.backend,
        label: "sample keys",
      });
      return {
        shards,
        tuples: tuplesOf(shards),
        share: parts.reduce((total, { range }) => total + range.end - range.start, 0) / bytes,
      };
    },
    async count(splitters) {
      const broadcast = await job.broadcast<CsvPlan>({ ...plan, isSample: false, splitters });
      const options = { broadcast, buckets: splitters.length + 1, backend: params.backend };
      const parts = partsOf(files, bytes, params, options.buckets);
      let counted = await job.shuffle(count, parts, options);
      for (;;) {
        const wrong = wrongParts(files, parts, counted.summaries, params, dialect);
        if (wrong.length === 0) break;
        const again = wrong.map(({ part, first }): CsvPart => ({ ...(parts[part] as CsvPart), first }));
        const repeated = await job.shuffle(count, again, { ...options, label: "count again from the right row" });
        const places = wrong.map(({ part }) => part);
        counted = replaceParts(counted, repeated, places);
      }
      const skippedRows = counted.summaries.reduce((total, { skipped }) => total + skipped, 0);
      return { shards: counted, tuples: tuplesOf(counted), skippedRows };
    },
  };
}

const tuplesOf = ({ summaries }: Dataset<Uint8Array, CountSummary>): number =>
  summaries.reduce((total, { tuples }) => total + tuples, 0);

/** All parts of all files, in order; `partitions` of them if there are no more files. */
function partsOf(files: readonly CsvFile[], bytes: number, params: Parameters, buckets: number): CsvPart[] {
  return files.flatMap(({ source, start }) => {
    const share = bytes === 0 ? 1 : (source.bytes - start) / bytes;
    const own = source.bytes - start;
    const wanted =
      params.partitions === undefined
        ? partsOfBytes(own, params, buckets)
        : Math.max(1, Math.round(params.partitions * share));
    return byteRanges(source.ordinal, start, source.bytes, wanted).map(
      (range): CsvPart => ({ range, first: range.start === start ? start : null }),
    );
  });
}

/** Some places spread over all files. */
function sampledParts(files: readonly CsvFile[]): CsvPart[] {
  const places = sampleRanges(0, 0, 0).length;
  const taken = Math.min(files.length, places);
  return Array.from(
    { length: taken },
    (_, index) => files[Math.floor((index * files.length) / taken)] as CsvFile,
  ).flatMap(({ source, start }, index) =>
    sampleRanges(source.ordinal, start, source.bytes)
      .filter((_, place) => place % taken === index)
      .map((range): CsvPart => ({ range, first: range.start === start ? start : null })),
  );
}

/** Parts that began at the wrong place, by file. Throws for a row that is bad for certain. */
function wrongParts(
  files: readonly CsvFile[],
  parts: readonly CsvPart[],
  summaries: readonly CountSummary[],
  params: Parameters,
  dialect: Dialect,
): { readonly part: number; readonly first: number }[] {
  return files.flatMap(({ source, start }) => {
    const from = parts.findIndex(({ range }) => range.source === source.ordinal);
    const own = summaries.filter((_, part) => parts[part]?.range.source === source.ordinal);
    const verdict = checkBorders(own, start);
    if (verdict.kind === "bad") {
      const row = verdict.row + (params.header ? 2 : 1);
      throw badRowError(source.name, verdict.bad, row, dialect, columnNames(params));
    }
    return verdict.kind === "again" ? verdict.parts.map(({ part, first }) => ({ part: from + part, first })) : [];
  });
}

/** `counted` with the partitions listed in `places` taken from `again`, in that order. */
function replaceParts<T>(
  counted: Dataset<T, CountSummary>,
  again: Dataset<T, CountSummary>,
  places: readonly number[],
): Dataset<T, CountSummary> {
  const parts = [...counted.parts];
  const summaries = [...counted.summaries];
  for (const [index, place] of places.entries()) {
    const part = again.parts[index];
    const summary = again.summaries[index];
    if (part !== undefined) parts[place] = part;
    if (summary !== undefined) summaries[place] = summary;
  }
  return { parts, summaries, buckets: counted.buckets };
}
