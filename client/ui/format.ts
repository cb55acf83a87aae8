/**
 * Numbers for people. Every figure in the pages passes through here, in one notation whatever the browser's language: three
 * significant digits, decimal (SI) multiples, a space before the unit.
 */

const DECIMAL = [
  [1e15, "P"],
  [1e12, "T"],
  [1e9, "G"],
  [1e6, "M"],
  [1e3, "k"],
] as const;

/** `1.23 M`, `950`, `0.5`: a count or amount. `G` is written for 10⁹, as in the units of throughput. */
export function formatAmount(value: number): string {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  for (const [position, [factor, prefix]] of DECIMAL.entries()) {
    if (size < factor) continue;
    const text = significant(value / factor);
    // 999,950 rounds to 1000 k, which is 1 M.
    const larger = DECIMAL[position - 1];
    return text === "1000" && larger !== undefined ? `1 ${larger[1]}` : `${text} ${prefix}`;
  }
  const text = significant(value);
  return text === "1000" ? "1 k" : text;
}

/** Bytes in decimal multiples: `12 MB`, `640 B`. */
export function formatBytes(bytes: number): string {
  if (!Number.isFinite(bytes)) return "–";
  const amount = formatAmount(bytes);
  return /[a-zA-Z]$/.test(amount) ? `${amount}B` : `${amount} B`;
}

/** `1.2 M tuples`; without a unit of its own, `1.2 M units of work`. */
export const formatUnits = (value: number, unit: string): string =>
  `${formatAmount(value)} ${unit === "" ? "units of work" : unit}`;

/** `1.2 M tuples/s`. */
export const formatRate = (perSecond: number, unit: string): string => `${formatUnits(perSecond, unit)}/s`;

/** Seconds as `35 ms`, `3.4 s`, `2 min 05 s`, `1 h 02 min`, `3 d 4 h`. */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) return "–";
  if (seconds < 0.0005) return "0 s";
  if (seconds < 0.9995) return `${significant(seconds * 1000)} ms`;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${pad(whole % 60)} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h ${pad(minutes % 60)} min`;
  const hours = Math.floor(minutes / 60);
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** How long ago, from a difference in ms: `just now`, `40 s ago`, `3 min ago`, `2 h ago`, `5 d ago`. */
export function formatAgo(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 5) return "just now";
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86_400)} d ago`;
}

/** A fraction as whole percent. Never `100 %` before all is done, nor `0 %` once something is. */
export function formatPercent(fraction: number): string {
  if (!Number.isFinite(fraction)) return "–";
  if (fraction <= 0) return "0 %";
  if (fraction >= 1) return "100 %";
  return `${Math.min(99, Math.max(1, Math.round(fraction * 100)))} %`;
}

/** `12,345`: every digit, in groups of three. */
export function formatInteger(value: number | bigint): string {
  return String(value).replace(/(?<!\.\d*)\B(?=(\d{3})+(?!\d))/g, ",");
}

/** `1 task`, `2 tasks`, `12,000 tasks`. */
export const formatCount = (count: number, noun: string): string =>
  `${formatInteger(count)} ${noun}${count === 1 ? "" : "s"}`;

/** A metric of any size: integers with every digit up to 10¹⁵, others with four significant digits. */
export function formatMetric(value: number): string {
  if (!Number.isFinite(value)) return "–";
  if (Number.isInteger(value) && Math.abs(value) < 1e15) return formatInteger(value);
  const size = Math.abs(value);
  if (size < 1e-4 || size >= 1e15) return value.toExponential(3);
  return formatInteger(Number(value.toPrecision(size >= 1000 ? 7 : 4)));
}

const pad = (value: number): string => String(value).padStart(2, "0");

/** Three significant digits, no trailing zeros, no exponent. */
function significant(value: number): string {
  const rounded = Number(value.toPrecision(3));
  return String(Math.abs(rounded) < 0.001 ? 0 : rounded);
}
