import { highWord, withHighWord } from "./binary64.ts";

const LN2_HIGH = 6.9314718036912381649e-1;
const LN2_LOW = 1.90821492927058770002e-10;
const L1 = 6.66666666666673513e-1;
const L2 = 3.999999999940941908e-1;
const L3 = 2.857142874366239149e-1;
const L4 = 2.222219843214978396e-1;
const L5 = 1.818357216161805012e-1;
const L6 = 1.531383769920937332e-1;
const L7 = 1.479819860511658591e-1;
/** Upper word of a number just above √2 / 2, from which on a fraction counts as 2⁰. */
const SQRT_HALF_HIGH = 0x3fe6a09e;
const ONE_HIGH = 0x3ff00000;

/**
 * The natural logarithm within 1 ulp, with the same bits on every engine. Method of fdlibm's e_log.c (Sun Microsystems,
 * 1993): x = 2ᵏ (1 + f) with √2 / 2 ≤ 1 + f < √2, and a Remez approximation in s = f / (2 + f).
 */
export function log(x: number): number {
  if (!(x >= 0)) return Number.NaN;
  if (x === 0) return Number.NEGATIVE_INFINITY;
  if (x === Number.POSITIVE_INFINITY) return x;
  const subnormal = x < 2 ** -1022;
  const normal = subnormal ? x * 2 ** 54 : x;
  const shifted = highWord(normal) - SQRT_HALF_HIGH + ONE_HIGH;
  const k = (shifted >>> 20) - 1023 - (subnormal ? 54 : 0);
  const f = withHighWord(normal, (shifted & 0xfffff) + SQRT_HALF_HIGH) - 1;
  const s = f / (2 + f);
  const z = s * s;
  const w = z * z;
  const r = w * (L2 + w * (L4 + w * L6)) + z * (L1 + w * (L3 + w * (L5 + w * L7)));
  const half = 0.5 * f * f;
  return k * LN2_HIGH - (half - (s * (half + r) + k * LN2_LOW) - f);
}
