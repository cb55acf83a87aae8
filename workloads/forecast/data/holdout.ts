import { InputError } from "kindling";
import { type Day, parseDay } from "./dates.ts";

/** Which rows train and which are checked: positions in rows sorted by day. Training rows all lie before checked ones. */
export interface Division {
  readonly train: readonly number[];
  readonly check: readonly number[];
}

/** Reads `--holdout`: a share of the rows, 0 < share < 1, or a range of dates FROM..TO, both included. */
export function parseHoldout(text: string): { share: number } | { from: Day; to: Day } | undefined {
  const share = /^\d*\.?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (share > 0 && share < 1) return { share };
  const [from, to, ...rest] = text.split("..").map(parseDay);
  if (from === undefined || to === undefined || rest.length > 0 || from > to) return undefined;
  return { from, to };
}

/** What is trained on and what is checked, as the options say it. */
export type Case =
  | { readonly kind: "holdout"; readonly holdout: string }
  /** Fold `fold`, from 0, of a backtest with a rolling origin. */
  | { readonly kind: "fold"; readonly fold: number; readonly folds: number }
  /** Trains on all rows. */
  | { readonly kind: "all" };

/**
 * Which of a file's rows, sorted by day, train and which are checked. With a horizon, training ends `horizon` days before the
 * first checked day: later targets were not known yet when that day was forecast.
 */
export function divideCase(days: readonly Day[], wanted: Case, horizon: number, file: string): Division {
  if (wanted.kind === "all") return { train: [...days.keys()], check: [] };
  const { train, check } =
    wanted.kind === "holdout" ? divide(days, wanted.holdout, file) : divideFold(days.length, wanted, file);
  const last = (days[check[0] ?? 0] as Day) - horizon;
  const known = train.filter((row) => (days[row] as Day) <= last);
  if (known.length > 0) return { train: known, check };
  throw new InputError(
    `${file}: no row is left to train on ${horizon} days before the first checked day; check fewer rows or shorten --horizon`,
  );
}

/** As scikit-learn's TimeSeriesSplit: rows / (folds + 1) to each fold, the last fold ending with the last row. */
function divideFold(
  rows: number,
  { fold, folds }: { readonly fold: number; readonly folds: number },
  file: string,
): Division {
  const size = Math.floor(rows / (folds + 1));
  checkRows(rows, file);
  if (size === 0) {
    throw new InputError(`${file}: ${rows} rows are too few for --backtest ${folds}; it needs ${folds + 1} or more`);
  }
  const start = rows - (folds - fold) * size;
  const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, row) => from + row);
  return { train: range(0, start), check: range(start, start + size) };
}

/** Throws where no division can leave a row to train on and one to check. */
export function checkRows(rows: number, file: string): void {
  if (rows >= 2) return;
  const count = rows === 1 ? "1 row is" : `${rows} rows are`;
  throw new InputError(`${file}: ${count} too few; at least two are needed, one to train on and one to check`);
}

/** The last rows are checked, rounded up, or those of a range of days; rows after such a range are in neither part. */
export function divide(days: readonly Day[], holdout: string, file: string): Division {
  const parsed = parseHoldout(holdout);
  if (parsed === undefined) {
    throw new InputError(
      `--holdout ${holdout}: write a share such as 0.1, or dates FROM..TO such as 20200701..20200930`,
    );
  }
  checkRows(days.length, file);
  const rows = days.map((_, row) => row);
  const isChecked =
    "share" in parsed
      ? (row: number) => row >= days.length - Math.ceil(days.length * parsed.share)
      : (row: number) => (days[row] as Day) >= parsed.from && (days[row] as Day) <= parsed.to;
  const check = rows.filter(isChecked);
  const train = rows.slice(0, check[0] ?? 0);
  if (check.length === 0)
    throw new InputError(`${file}: no row lies in --holdout ${holdout}; choose dates of the file`);
  if (train.length === 0) {
    throw new InputError(`${file}: no row is left to train on before --holdout ${holdout}; hold out less`);
  }
  return { train, check };
}
