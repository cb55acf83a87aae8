/** Philox4x32-10, word for word the generator of shared/math/philox.ts. */

export let word0: u32 = 0;
export let word1: u32 = 0;
export let word2: u32 = 0;
export let word3: u32 = 0;

/** Leaves the block of counter (c0, c1, c2, 0) under the key (k0, k1) in word0 … word3. */
export function philox(c0: u32, c1: u32, c2: u32, k0: u32, k1: u32): void {
  let c3: u32 = 0;
  for (let round = 0; round < 10; round++) {
    const product0 = <u64>c0 * 0xd2511f53;
    const product1 = <u64>c2 * 0xcd9e8d57;
    c0 = <u32>(product1 >>> 32) ^ c1 ^ k0;
    c1 = <u32>product1;
    c2 = <u32>(product0 >>> 32) ^ c3 ^ k1;
    c3 = <u32>product0;
    k0 += 0x9e3779b9;
    k1 += 0xbb67ae85;
  }
  word0 = c0;
  word1 = c1;
  word2 = c2;
  word3 = c3;
}
