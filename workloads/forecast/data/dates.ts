const FORM = /^(\d{4})(-?)(\d{2})\2(\d{2})$/;

/** A calendar day as the number of days since 1970-01-01, in the proleptic Gregorian calendar. */
export type Day = number;

/** Reads YYYYMMDD or YYYY-MM-DD; `undefined` for anything else, such as 30 February. */
export function parseDay(text: string): Day | undefined {
  const match = FORM.exec(text);
  if (match === null) return undefined;
  const [year, month, date] = [Number(match[1]), Number(match[3]), Number(match[4])];
  if (month < 1 || month > 12) return undefined;
  const day = dayOf(year, month, date);
  return date >= 1 && dayOf(year, month, 1) <= day && day < dayOf(year, month + 1, 1) ? day : undefined;
}

export type DateForm = "YYYYMMDD" | "YYYY-MM-DD";

/** The form of what `parseDay` reads. */
export const formOf = (text: string): DateForm => (text.includes("-") ? "YYYY-MM-DD" : "YYYYMMDD");

/** The day of a date; month 13 is January of the next year. Hinnant, "chrono-compatible low-level date algorithms". */
export function dayOf(year: number, month: number, date: number): Day {
  // Years counted from March, so that a leap day ends one.
  const monthFromMarch = (month + 9) % 12;
  const marchYear = year + Math.floor((month - 3) / 12);
  const leaps = Math.floor(marchYear / 4) - Math.floor(marchYear / 100) + Math.floor(marchYear / 400);
  return marchYear * 365 + leaps + Math.floor((153 * monthFromMarch + 2) / 5) + date - 1 - 719468;
}

/** The year, month and date of a day. */
export function dateOf(day: Day): { readonly year: number; readonly month: number; readonly date: number } {
  let year = 1970 + Math.floor(day / 365.2425);
  while (dayOf(year, 1, 1) > day) year--;
  while (dayOf(year + 1, 1, 1) <= day) year++;
  let month = 12;
  while (dayOf(year, month, 1) > day) month--;
  return { year, month, date: day - dayOf(year, month, 1) + 1 };
}

/** YYYYMMDD. */
export function compactDate(day: Day): string {
  const { year, month, date } = dateOf(day);
  return [String(year).padStart(4, "0"), String(month).padStart(2, "0"), String(date).padStart(2, "0")].join("");
}

/** 1 … 366. */
export const dayOfYear = (day: Day): number => day - dayOf(dateOf(day).year, 1, 1) + 1;

/** The week of ISO 8601, 1 … 53: weeks begin on Monday and belong to the year that holds their Thursday. */
export function isoWeek(day: Day): number {
  // 1970-01-01 was a Thursday.
  const weekday = (((day + 3) % 7) + 7) % 7;
  const thursday = day - weekday + 3;
  return Math.floor((dayOfYear(thursday) - 1) / 7) + 1;
}

/** YYYYMMDD, or YYYY-MM-DD. */
export function formatDate(day: Day, dashed: boolean): string {
  const compact = compactDate(day);
  return dashed ? `${compact.slice(0, 4)}-${compact.slice(4, 6)}-${compact.slice(6)}` : compact;
}
