import * as z from "zod";
import { compactDate, type Day, dayOf, parseDay } from "../../../workloads/forecast/data/dates.ts";
import { badAnswer, type WeatherSource } from "./source.ts";

const NAME = "Open-Meteo";
/** Its name for each column, and the unit that is asked for. Wind is the day's largest hourly one at 10 m. */
const VARIABLES = {
  temp: { name: "temperature_2m_mean", unit: "°C" },
  humidity: { name: "relative_humidity_2m_mean", unit: "%" },
  wind: { name: "wind_speed_10m_max", unit: "m/s" },
  rainfall: { name: "precipitation_sum", unit: "mm" },
} as const;

const answerSchema = z.object({
  daily_units: z.record(z.string(), z.string()),
  daily: z.object({ time: z.array(z.string()) }).catchall(z.array(z.number().nullable())),
});

const errorSchema = z.object({ error: z.literal(true), reason: z.string() });

/** The archive of Open-Meteo (https://open-meteo.com/en/docs/historical-weather-api), by days of local time. */
export const openMeteo: WeatherSource = {
  name: NAME,
  baseUrl: "https://archive-api.open-meteo.com",
  first: dayOf(1940, 1, 1),
  url(baseUrl, { lat, lon }, { from, to }) {
    const names = Object.values(VARIABLES).map(({ name }) => name);
    const place = `latitude=${lat}&longitude=${lon}`;
    const range = `start_date=${isoDate(from)}&end_date=${isoDate(to)}`;
    return `${baseUrl}/v1/archive?${place}&${range}&daily=${names.join()}&timezone=auto&wind_speed_unit=ms`;
  },
  parse(answer) {
    const parsed = answerSchema.safeParse(answer);
    if (!parsed.success) throw badAnswer(NAME, z.prettifyError(parsed.error));
    const { daily_units: units, daily } = parsed.data;
    const valuesOf = (column: keyof typeof VARIABLES): readonly (number | null)[] => {
      const { name, unit } = VARIABLES[column];
      const values: unknown = daily[name];
      if (!Array.isArray(values) || values.length !== daily.time.length) {
        throw badAnswer(NAME, `${name} does not have a value for each day`);
      }
      if (units[name] !== unit) throw badAnswer(NAME, `${name} comes in ${units[name] ?? "no unit"}, not in ${unit}`);
      return values as readonly (number | null)[];
    };
    const [temp, humidity, wind, rainfall] = [
      valuesOf("temp"),
      valuesOf("humidity"),
      valuesOf("wind"),
      valuesOf("rainfall"),
    ];
    return daily.time.map((date, at) => {
      const day = parseDay(date);
      if (day === undefined) throw badAnswer(NAME, `${date} is no date`);
      const of = (values: readonly (number | null)[]): number | null => values[at] ?? null;
      return { day, temp: of(temp), wind: of(wind), rainfall: of(rainfall), humidity: of(humidity) };
    });
  },
  reason: (answer) => errorSchema.safeParse(answer).data?.reason,
};

const isoDate = (day: Day): string => compactDate(day).replace(/^(.{4})(..)(..)$/, "$1-$2-$3");
