import type { Clock } from "../../../shared/clock.ts";
import { KindlingError } from "../../../shared/errors.ts";
import { compactDate, dateOf, type Day, dayOf, parseDay } from "../../../workloads/forecast/data/dates.ts";
import { nasaPower } from "./nasa-power.ts";
import { openMeteo } from "./open-meteo.ts";
import { requestJson } from "./request.ts";
import { type DayRange, type Place, type WeatherDay, type WeatherSource, weatherCsv } from "./source.ts";

export const SOURCES: Readonly<Record<string, WeatherSource>> = { "nasa-power": nasaPower, "open-meteo": openMeteo };

/** Years of one request: short enough to come before a time-out, and one request is under way at a time. */
const YEARS_AT_ONCE = 10;

/** As the command line gives them. */
export interface DownloadOptions {
  readonly source: string;
  readonly lat?: string | undefined;
  readonly lon?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly baseUrl?: string | undefined;
}

/** Gets a place's daily weather as CSV. Throws `BadUsage` for wrong options, naming them. */
export async function downloadWeather(
  options: DownloadOptions,
  context: { readonly clock: Clock; readonly signal: AbortSignal; readonly tell: (message: string) => void },
): Promise<string> {
  const source = SOURCES[options.source];
  if (source === undefined) {
    throw usage(
      `--source takes one of synthetic, ${Object.keys(SOURCES).join(", ")}, not ${JSON.stringify(options.source)}`,
    );
  }
  const place: Place = { lat: degrees(options.lat, "lat", 90), lon: degrees(options.lon, "lon", 180) };
  const range: DayRange = { from: date(options.from, "from"), to: date(options.to, "to") };
  if (range.from > range.to) throw usage(`--from ${options.from} is after --to ${options.to}`);
  if (range.from < source.first) throw usage(`--from: ${source.name} begins on ${compactDate(source.first)}`);
  const days: WeatherDay[] = [];
  for (const part of partsOf(range)) {
    const url = source.url(options.baseUrl ?? source.baseUrl, place, part);
    const reason = (answer: unknown) => source.reason(answer);
    const { clock, signal, tell } = context;
    days.push(...source.parse(await requestJson(url, { clock, signal, service: source.name, reason, onWait: tell })));
  }
  const known = days.filter(({ day, humidity }) => humidity !== null && day >= range.from && day <= range.to).length;
  if (known === 0) throw new KindlingError("BadAnswer", `${source.name} has no value in these days for this place`);
  const missing = range.to - range.from + 1 - known;
  if (missing > 0) context.tell(`${source.name}: humidity is missing on ${missing} of the days; their cells are empty`);
  return weatherCsv(days, range);
}

function partsOf({ from, to }: DayRange): DayRange[] {
  const parts: DayRange[] = [];
  for (let start = from; start <= to; ) {
    const { year, month, date } = dateOf(start);
    const next = dayOf(year + YEARS_AT_ONCE, month, date);
    parts.push({ from: start, to: Math.min(to, next - 1) });
    start = next;
  }
  return parts;
}

function degrees(text: string | undefined, flag: string, most: number): number {
  const number = text === undefined || text.trim() === "" ? Number.NaN : Number(text);
  if (Math.abs(number) <= most) return number;
  throw usage(
    `--${flag} takes degrees from -${most} to ${most}${text === undefined ? "" : `, not ${JSON.stringify(text)}`}`,
  );
}

function date(text: string | undefined, flag: string): Day {
  const day = parseDay(text ?? "");
  if (day !== undefined) return day;
  throw usage(
    `--${flag} takes a date, YYYYMMDD or YYYY-MM-DD${text === undefined ? "" : `, not ${JSON.stringify(text)}`}`,
  );
}

const usage = (message: string): KindlingError => new KindlingError("BadUsage", message);
