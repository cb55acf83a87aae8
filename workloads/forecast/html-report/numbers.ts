/** Numbers for people, the same on every machine: no locale. */

/** At most `digits` significant ones; thousands set apart by a narrow space; "–" where there is none. */
export function show(value: unknown, digits = 4): string {
  if (typeof value !== "number" || !Number.isFinite(value)) return "–";
  const rounded = Number.isInteger(value) ? value : Number(value.toPrecision(digits));
  const text = String(Math.abs(rounded));
  const [whole = "", ...rest] = text.includes("e") ? [text] : text.split(".");
  const grouped = whole.length > 4 && !whole.includes("e") ? whole.replaceAll(/\B(?=(\d{3})+$)/g, "\u202f") : whole;
  return `${rounded < 0 ? "−" : ""}${[grouped, ...rest].join(".")}`;
}

/** A coordinate of a drawing: a tenth of its unit is finer than any screen. */
export const coordinate = (value: number): string => String(Math.round(value * 10) / 10);
