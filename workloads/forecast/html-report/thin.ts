/** A point of a line over days; a null value is a gap. */
export type Point = { readonly day: number; readonly value: number | null };

/**
 * At most about 2 × `columns` points that draw the same line: of each column of the drawing the lowest and the highest value,
 * in their order. Fewer points stay as they are.
 */
export function thinLine(points: readonly Point[], columns: number): Point[] {
  const first = points[0]?.day ?? 0;
  const span = (points.at(-1)?.day ?? 0) - first + 1;
  if (points.length <= 2 * columns) return [...points];
  const kept: Point[] = [];
  let at = 0;
  while (at < points.length) {
    const column = Math.floor((((points[at] as Point).day - first) / span) * columns);
    let low: Point | undefined;
    let high: Point | undefined;
    for (; at < points.length; at++) {
      const point = points[at] as Point;
      if (Math.floor(((point.day - first) / span) * columns) !== column) break;
      if (point.value === null) continue;
      if (low === undefined || point.value < (low.value as number)) low = point;
      if (high === undefined || point.value > (high.value as number)) high = point;
    }
    if (low === undefined || high === undefined) kept.push({ day: first + (column / columns) * span, value: null });
    else if (low === high) kept.push(low);
    else kept.push(...(low.day < high.day ? [low, high] : [high, low]));
  }
  return kept;
}

/** One of all points that fall on the same dot of a grid of `cells` × `cells`: what a drawing shows of them. */
export function thinDots<T extends { readonly x: number; readonly y: number }>(
  dots: readonly T[],
  cells: number,
  place: (dot: T) => readonly [number, number],
): T[] {
  const seen = new Set<number>();
  return dots.filter((dot) => {
    const [x, y] = place(dot);
    const cell = Math.round(x * cells) * (cells + 1) + Math.round(y * cells);
    if (seen.has(cell)) return false;
    seen.add(cell);
    return true;
  });
}
