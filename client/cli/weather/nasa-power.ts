import * as z from "zod";
import { compactDate, dayOf, parseDay } from "../../../workloads/forecast/data/dates.ts";
import { badAnswer, type WeatherSource } from "./source.ts";

const NAME = "NASA POWER";
/** Its name for each column, and the unit in which the community RE gets it. Wind is the mean at 2 m. */
const PARAMETERS = {
  temp: { name: "T2M", unit: "C" },
  humidity: { name: "RH2M", unit: "%" },
  wind: { name: "WS2M", unit: "m/s" },
  rainfall: { name: "PRECTOTCORR", unit: "mm/day" },
} as const;

const answerSchema = z.object({
  properties: z.object({ parameter: z.record(z.string(), z.record(z.string(), z.number())) }),
  header: z.object({ fill_value: z.number().default(-999) }).default({ fill_value: -999 }),
  parameters: z.record(z.string(), z.object({ units: z.string() })).default({}),
});

const errorSchema = z.object({
  messages: z.array(z.string()).optional(),
  detail: z.union([z.string(), z.array(z.object({ msg: z.string() }))]).optional(),
});

/** NASA's daily values of a grid of about 50 km (https://power.larc.nasa.gov/docs/services/api/temporal/daily/), in local solar time. */
export const nasaPower: WeatherSource = {
  name: NAME,
  baseUrl: "https://power.larc.nasa.gov",
  first: dayOf(1981, 1, 1),
  url(baseUrl, { lat, lon }, { from, to }) {
    const names = Object.values(PARAMETERS).map(({ name }) => name);
    const place = `longitude=${lon}&latitude=${lat}`;
    const range = `start=${compactDate(from)}&end=${compactDate(to)}`;
    return `${baseUrl}/api/temporal/daily/point?parameters=${names.join()}&community=RE&${place}&${range}&format=JSON`;
  },
  parse(answer) {
    const parsed = answerSchema.safeParse(answer);
    if (!parsed.success) throw badAnswer(NAME, z.prettifyError(parsed.error));
    const { properties, header, parameters } = parsed.data;
    const valuesOf = (column: keyof typeof PARAMETERS): ((date: string) => number | null) => {
      const { name, unit } = PARAMETERS[column];
      const values = properties.parameter[name];
      if (values === undefined) throw badAnswer(NAME, `${name} is missing`);
      const told = parameters[name]?.units ?? unit;
      if (told !== unit) throw badAnswer(NAME, `${name} comes in ${told}, not in ${unit}`);
      return (date) => {
        const value = values[date] ?? header.fill_value;
        return value === header.fill_value ? null : value;
      };
    };
    const [temp, humidity, wind, rainfall] = [
      valuesOf("temp"),
      valuesOf("humidity"),
      valuesOf("wind"),
      valuesOf("rainfall"),
    ];
    return Object.keys(properties.parameter[PARAMETERS.temp.name] ?? {}).map((date) => {
      const day = parseDay(date);
      if (day === undefined) throw badAnswer(NAME, `${date} is no date`);
      return { day, temp: temp(date), wind: wind(date), rainfall: rainfall(date), humidity: humidity(date) };
    });
  },
  reason(answer) {
    const { messages, detail } = errorSchema.safeParse(answer).data ?? {};
    if (messages !== undefined && messages.length > 0) return messages.join("; ");
    return typeof detail === "string" ? detail : detail?.map(({ msg }) => msg).join("; ");
  },
};
