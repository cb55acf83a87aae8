/** The artifact `report.json`: what a report shows beside the job's metrics. The same bytes for the same run everywhere. */
export const REPORT_VERSION = 1;

export type ReportData = {
  readonly version: typeof REPORT_VERSION;
  readonly target: string;
  readonly series: readonly SeriesReport[];
};

/** One place, or whatever a file has one series of. */
export type SeriesReport = {
  /** `null` where a file holds one series alone. */
  readonly name: string | null;
  /** Of each column as it came, the target first. */
  readonly columns: readonly ColumnReport[];
  /** Of each fold, or of the one holdout. */
  readonly holdout: readonly PredictedRows[];
  readonly forecast: readonly PredictedRows[];
};

export type ColumnReport = {
  readonly name: string;
  /** Days since 1970-01-01, and values; long series are thinned to what a drawing can show, `null` is a gap. */
  readonly days: readonly number[];
  readonly values: readonly (number | null)[];
  /** Values that cleaning changed, at most MAX_MARKED of them; `to` is null where the value became missing. */
  readonly repaired: readonly { readonly day: number; readonly from: number; readonly to: number | null }[];
  /** How many it changed. */
  readonly repairedCount: number;
  /** By year; by month in short series. */
  readonly periods: readonly Period[];
};

export type Period = {
  readonly name: string;
  /** Known values, as they came. */
  readonly known: number;
  readonly mean: number | null;
  readonly low: number | null;
  readonly high: number | null;
};

/** Rows of a result, by day; lists of one length. */
export type PredictedRows = {
  readonly days: readonly number[];
  readonly predicted: readonly (number | null)[];
  /** Known values to compare with; empty where there are none. */
  readonly truth: readonly (number | null)[];
  /** The prediction interval; empty where there is none. */
  readonly lower: readonly (number | null)[];
  readonly upper: readonly (number | null)[];
};

/** Reads the artifact. Throws a RangeError for another version. */
export function parseReport(text: string): ReportData {
  const data = JSON.parse(text) as ReportData;
  if (data.version !== REPORT_VERSION) {
    throw new RangeError(`report.json has version ${String(data.version)}, and ${REPORT_VERSION} can be shown`);
  }
  return data;
}
