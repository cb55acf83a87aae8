import { scaleByPowerOfTwo } from "./binary64.ts";

const LN2_HIGH = 6.9314718036912381649e-1;
const LN2_LOW = 1.90821492927058770002e-10;
const P1 = 1.66666666666666019037e-1;
const P2 = -2.77777777770155933842e-3;
const P3 = 6.61375632143793436117e-5;
const P4 = -1.6533902205465251539e-6;
const P5 = 4.13813679705723846039e-8;

/**
 * eˣ within 1 ulp, with the same bits on every engine. Method of fdlibm's e_exp.c (Sun Microsystems, 1993): x = k ln 2 + r,
 * |r| ≤ ln 2 / 2, and a Remez approximation of r (eʳ + 1) / (eʳ − 1).
 */
export function exp(x: number): number {
  if (x !== x) return Number.NaN;
  if (x > 709.782712893384) return Number.POSITIVE_INFINITY;
  if (x < -745.1332191019412) return 0;
  const k = Math.floor(x / Math.LN2 + 0.5);
  const high = x - k * LN2_HIGH;
  const low = k * LN2_LOW;
  const r = high - low;
  const t = r * r;
  const c = r - t * (P1 + t * (P2 + t * (P3 + t * (P4 + t * P5))));
  return scaleByPowerOfTwo(1 - (low - (r * c) / (2 - c) - high), k);
}
