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

/** The last rows are checked, rounded up, or those of a range of days; rows after such a range are in neither part. */
export function divide(days: readonly Day[], holdout: string, file: string): Division {
  const parsed = parseHoldout(holdout);
  if (parsed === undefined) {
    throw new InputError(
      `--holdout ${holdout}: write a share such as 0.1, or dates FROM..TO such as 20200701..20200930`,
    );
  }
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
