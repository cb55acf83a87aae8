import { exp } from "../../shared/math/exp.ts";
import { log } from "../../shared/math/log.ts";
import { normalDeviate } from "../../shared/math/normal.ts";
import { cos } from "../../shared/math/trigonometry.ts";
import { philoxRng } from "../../shared/rng.ts";
import { compactDate, type Day, dayOf, dayOfYear } from "./data/dates.ts";

const FIRST = dayOf(1990, 1, 1);
const LAST_OBSERVED = dayOf(2020, 9, 30);
const LAST_ACTUAL = dayOf(2020, 12, 31);
const LAST = dayOf(2021, 12, 31);
/** How often a value is written ten times too large. */
const SLIPS = { temp: 0.009, wind: 0.007, rainfall: 0.005 };

/** CSV files of made-up daily weather. */
export interface SyntheticWeather {
  /** 1990-01-01 … 2020-09-30 with humidity. */
  readonly observed: string;
  /** 2020-10-01 … 2020-12-31 with humidity, to check predictions on. */
  readonly actual: string;
  /** 2021 without humidity. */
  readonly future: string;
}

interface Weather {
  readonly day: Day;
  readonly temp: number;
  readonly wind: number;
  readonly rainfall: number;
  readonly humidity: number;
}

/**
 * Synthetic weather of one place that does not exist: seasons, spells of warmth and rain, and humidity that follows from
 * them with some noise. About one row in fifty has a decimal slip, a value ten times too large. The same `seed` (unsigned
 * 32-bit) gives the same bytes everywhere.
 */
export function syntheticWeather(seed: number): SyntheticWeather {
  const days = makeDays(seed);
  const slip = makeSlips(seed);
  const observed: string[] = [];
  const actual: string[] = [];
  const future: string[] = [];
  for (const { day, temp, wind, rainfall, humidity } of days) {
    const inputs = [
      compactDate(day),
      slip(temp, SLIPS.temp),
      slip(wind, SLIPS.wind),
      slip(rainfall, SLIPS.rainfall),
    ].join(",");
    if (day > LAST_ACTUAL) future.push(inputs);
    else (day > LAST_OBSERVED ? actual : observed).push(`${inputs},${humidity.toFixed(2)}`);
  }
  const header = "date,temp,wind,rainfall";
  return {
    observed: file(`${header},humidity`, observed),
    actual: file(`${header},humidity`, actual),
    future: file(header, future),
  };
}

function makeDays(seed: number): Weather[] {
  const noise = philoxRng(seed, 0);
  const days: Weather[] = [];
  // Today's weather remembers yesterday's: a temperature anomaly in °C, and whether it rained.
  let anomaly = 0;
  let wet = false;
  for (let day = FIRST; day <= LAST; day++) {
    // 1 at the height of summer, −1 in midwinter.
    const season = cos(((dayOfYear(day) - 202) / 365.25) * 2 * Math.PI);
    anomaly = 0.75 * anomaly + 2.1 * normalDeviate(noise);
    wet = noise.unit() < (wet ? 0.62 : 0.28) - 0.08 * season;
    // Weibull distributed: many light showers, few heavy ones.
    const amount = 9 * exp(0.8 * log(-log((noise.uint32() + 1) / (2 ** 32 + 1))));
    const temp = round(19 + 9.5 * season + anomaly - (wet ? 1.5 : 0), 1);
    const rainfall = wet ? round(amount + 0.1, 1) : 0;
    const wind = round((6.5 - 1.5 * season) * exp(0.38 * normalDeviate(noise)), 2);
    // °C below the dew point's usual distance, wet ground and calm air all raise humidity.
    const dampness = 0.6 - 0.085 * (temp - 19) + 1.1 * (1 - exp(-rainfall / 6)) - 0.06 * (wind - 6.5) - 0.25 * season;
    const humidity = round(100 / (1 + exp(-dampness)) + 0.4 * normalDeviate(noise), 2);
    days.push({ day, temp, wind, rainfall, humidity: Math.min(100, humidity) });
  }
  return days;
}

/** Writes a value, sometimes with its decimal point one place too far right. */
function makeSlips(seed: number): (value: number, share: number) => string {
  const chance = philoxRng(seed, 1);
  return (value, share) => String(chance.unit() < share ? round(value * 10, 2) : value);
}

const round = (value: number, decimals: 1 | 2): number => {
  const scale = decimals === 1 ? 10 : 100;
  return Math.floor(value * scale + 0.5) / scale;
};

const file = (header: string, rows: readonly string[]): string => `${header}\n${rows.join("\n")}\n`;
