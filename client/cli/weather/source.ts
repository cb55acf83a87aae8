import { KindlingError } from "../../../shared/errors.ts";
import { compactDate, type Day } from "../../../workloads/forecast/data/dates.ts";

export interface Place {
  /** Degrees, −90 … 90. */
  readonly lat: number;
  /** Degrees, −180 … 180. */
  readonly lon: number;
}

/** Both days are included. */
export interface DayRange {
  readonly from: Day;
  readonly to: Day;
}

/** Daily means, the day's sum of rain; `null` where missing. */
export interface WeatherDay {
  readonly day: Day;
  /** °C. */
  readonly temp: number | null;
  /** m/s. */
  readonly wind: number | null;
  /** mm. */
  readonly rainfall: number | null;
  /** Per cent. */
  readonly humidity: number | null;
}

/** A public service of daily weather. */
export interface WeatherSource {
  readonly name: string;
  readonly baseUrl: string;
  /** The first day that it has. */
  readonly first: Day;
  url(baseUrl: string, place: Place, range: DayRange): string;
  /** Reads an answer. Throws `BadAnswer` for one that is not in the documented format or unit. */
  parse(answer: unknown): WeatherDay[];
  /** What an error's body says. */
  reason(answer: unknown): string | undefined;
}

const COLUMNS = ["temp", "wind", "rainfall", "humidity"] as const;

/** CSV with the header `date,temp,wind,rainfall,humidity`: each day of the range, empty cells where nothing is known. */
export function weatherCsv(days: readonly WeatherDay[], { from, to }: DayRange): string {
  const byDay = new Map(days.map((day) => [day.day, day]));
  const lines = [["date", ...COLUMNS].join()];
  for (let day = from; day <= to; day++) {
    const known = byDay.get(day);
    lines.push([compactDate(day), ...COLUMNS.map((column) => known?.[column] ?? "")].join());
  }
  return `${lines.join("\n")}\n`;
}

export const badAnswer = (source: string, problem: string): KindlingError =>
  new KindlingError("BadAnswer", `${source} answered in another format than it documents: ${problem}`);
