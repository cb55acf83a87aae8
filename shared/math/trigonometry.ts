/**
 * Sine and cosine within 1 ulp, with the same bits on every engine. Method of fdlibm's k_sin.c, k_cos.c and e_rem_pio2.c
 * (Sun Microsystems, 1993): subtract the nearest multiple of π/2 in three parts, then a polynomial on [−π/4, π/4].
 */

/** Beyond this the subtraction of k π/2 is no longer exact enough. */
const LARGEST = 2 ** 20;
const TWO_OVER_PI = 6.36619772367581382433e-1;
// π/2 in parts of 33 bits, so that k times a part is exact; the last one holds the rest.
const HALF_PI_1 = 1.57079632673412561417;
const HALF_PI_2 = 6.0771005063039659766e-11;
const HALF_PI_3 = 2.0222662487111664558e-21;
const HALF_PI_REST = 8.47842766036889956997e-32;

const S1 = -1.66666666666666324348e-1;
const S2 = 8.33333333332248946124e-3;
const S3 = -1.98412698298579493134e-4;
const S4 = 2.75573137070700676789e-6;
const S5 = -2.50507602534068634195e-8;
const S6 = 1.58969099521155010221e-10;

const C1 = 4.16666666666666019037e-2;
const C2 = -1.38888888888741095749e-3;
const C3 = 2.48015872894767294178e-5;
const C4 = -2.75573143513906633035e-7;
const C5 = 2.0875723212981748279e-9;
const C6 = -1.13596475577881948265e-11;

/** For |x| ≤ 2²⁰; throws a RangeError beyond. NaN gives NaN. */
export const sin = (x: number): number => quadrant(x, 0);

/** For |x| ≤ 2²⁰; throws a RangeError beyond. NaN gives NaN. */
export const cos = (x: number): number => quadrant(x, 1);

/** sin(x + turns π/2). */
function quadrant(x: number, turns: number): number {
  if (x !== x) return Number.NaN;
  if (Math.abs(x) > LARGEST) throw new RangeError(`sine and cosine are exact enough up to 2²⁰ only, not at ${x}`);
  const k = Math.floor(x * TWO_OVER_PI + 0.5);
  const [y, tail] = remainder(x, k);
  switch ((k + turns) & 3) {
    case 0:
      return kernelSin(y, tail);
    case 1:
      return kernelCos(y, tail);
    case 2:
      return -kernelSin(y, tail);
    default:
      return -kernelCos(y, tail);
  }
}

/** x − k π/2 as a double and what it leaves out. */
function remainder(x: number, k: number): [number, number] {
  if (k === 0) return [x, 0];
  const first = x - k * HALF_PI_1;
  const part2 = k * HALF_PI_2;
  const second = first - part2;
  const lost2 = first - second - part2;
  const part3 = k * HALF_PI_3;
  const third = second - part3;
  const lost3 = second - third - part3;
  const tail = lost2 + lost3 - k * HALF_PI_REST;
  const y = third + tail;
  return [y, third - y + tail];
}

function kernelSin(x: number, tail: number): number {
  if (x === 0) return x;
  const z = x * x;
  const v = z * x;
  const r = S2 + z * (S3 + z * (S4 + z * (S5 + z * S6)));
  return x - (z * (0.5 * tail - v * r) - tail - v * S1);
}

function kernelCos(x: number, tail: number): number {
  const z = x * x;
  const r = z * (C1 + z * (C2 + z * (C3 + z * (C4 + z * (C5 + z * C6)))));
  const half = 0.5 * z;
  const w = 1 - half;
  return w + (1 - w - half + (z * r - x * tail));
}
