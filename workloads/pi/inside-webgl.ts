import type { GpuContext, WebGlSource } from "kindling";
import { countInside, type SampleRange } from "./inside.ts";

/** Blocks that one thread makes, of two samples each. */
const BLOCKS = 256;
const SAMPLES_PER_THREAD = 2 * BLOCKS;
/** Threads of one call. */
const MOST_THREADS = 2 ** 14;
/** What the 16-bit parts of a block's number count. */
const PARTS = [1, 2 ** 16, 2 ** 32, 2 ** 48];

/**
 * As countInside, in 32-bit integers: GLSL ES 3.00 has no 64-bit product, so products are made of 16-bit halves, and x² + y² is
 * compared with 2⁵² in two words. What travels as floats (16-bit parts of the seed and the first block's number, counts) is
 * below 2²⁴.
 */
const PROGRAM: WebGlSource = {
  name: "pi",
  kernel: `function (seedLow, seedHigh, block0, block1, block2, block3) {
    return countInside(this.thread.x, seedLow, seedHigh, block0, block1, block2, block3);
  }`,
  glsl: {
    countInside: `float countInside(float thread, float seedLow, float seedHigh, float block0, float block1, float block2, float block3);

// The lower and the upper word of a product.
uvec2 product(uint a, uint b) {
  uint aLow = a & 0xffffu;
  uint aHigh = a >> 16u;
  uint bLow = b & 0xffffu;
  uint bHigh = b >> 16u;
  uint middle = aHigh * bLow + ((aLow * bLow) >> 16u);
  uint middleLow = (middle & 0xffffu) + aLow * bHigh;
  return uvec2(a * b, aHigh * bHigh + (middle >> 16u) + (middleLow >> 16u));
}

float countInside(float thread, float seedLow, float seedHigh, float block0, float block1, float block2, float block3) {
  uint low = uint(block0) | (uint(block1) << 16u);
  uint high = uint(block2) | (uint(block3) << 16u);
  uint first = uint(thread) * ${BLOCKS}u;
  low += first;
  high += low < first ? 1u : 0u;
  uint inside = 0u;
  for (uint block = 0u; block < ${BLOCKS}u; block++) {
    uvec4 counter = uvec4(low, high, 0u, 0u);
    uvec2 key = uvec2(uint(seedLow) | (uint(seedHigh) << 16u), 0u);
    for (int round = 0; round < 10; round++) {
      uvec2 a = product(0xd2511f53u, counter.x);
      uvec2 b = product(0xcd9e8d57u, counter.z);
      counter = uvec4(b.y ^ counter.y ^ key.x, b.x, a.y ^ counter.w ^ key.y, a.x);
      key += uvec2(0x9e3779b9u, 0xbb67ae85u);
    }
    for (int pair = 0; pair < 2; pair++) {
      uint x = (pair == 0 ? counter.x : counter.z) >> 6u;
      uint y = (pair == 0 ? counter.y : counter.w) >> 6u;
      uvec2 xx = product(x, x);
      uvec2 yy = product(y, y);
      uint carry = xx.x + yy.x < yy.x ? 1u : 0u;
      inside += xx.y + yy.y + carry < 0x100000u ? 1u : 0u;
    }
    low++;
    high += low == 0u ? 1u : 0u;
  }
  return float(inside);
}`,
  },
};

/** Counts whole threads on the GPU and the rest here. */
export const countInsideWebGl = (
  { seed, start, count }: SampleRange,
  context: Pick<GpuContext<undefined, number>, "webgl" | "progress">,
): Promise<number> =>
  context.webgl(async (gl) => {
    const program = gl.program(PROGRAM);
    // A block has two samples.
    const odd = start % 2;
    const whole = Math.floor((count - odd) / SAMPLES_PER_THREAD) * SAMPLES_PER_THREAD;
    let inside = odd === 0 ? 0 : countInside({ seed, start, count: 1 });
    for (let done = 0; done < whole; done += MOST_THREADS * SAMPLES_PER_THREAD) {
      const samples = Math.min(MOST_THREADS * SAMPLES_PER_THREAD, whole - done);
      const block = (start + odd + done) / 2;
      const parts = [seed & 0xffff, seed >>> 16, ...PARTS.map((unit) => Math.floor(block / unit) % 65536)];
      const [counts = new Float32Array()] = program({ columns: samples / SAMPLES_PER_THREAD, rows: 1 }, ...parts);
      for (const part of counts) inside += part;
      context.progress(samples);
    }
    const rest = count - odd - whole;
    context.progress(count - whole);
    return inside + countInside({ seed, start: start + odd + whole, count: rest });
  });
