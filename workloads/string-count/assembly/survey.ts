/** Lists the merged keys of a sample, and counts how many of them were drawn once and twice. */
import { copyBytes } from "./entries";
import { allocate, ensure, memoryTop } from "./memory";
import { keyAt, keyLength, keySum, nextKey } from "./sorted";

export let listed: u32 = 0;
export let drawn: f64 = 0;
export let drawnOnce: u32 = 0;
export let drawnTwice: u32 = 0;

/** Takes all keys in order, `most` of them at most. Gives where their addresses are; at each lie a key's length (u32) and its bytes. */
export function listKeys(most: u32): usize {
  const addresses = allocate(<u64>most * 4);
  listed = 0;
  drawn = 0;
  drawnOnce = 0;
  drawnTwice = 0;
  let out = memoryTop();
  while (nextKey()) {
    // Copying may write 24 bytes.
    ensure(out + 4 + keyLength + 24);
    store<u32>(addresses + (<usize>listed << 2), <u32>out);
    store<u32>(out, <u32>keyLength);
    copyBytes(out + 4, keyAt, keyLength);
    out += 4 + keyLength;
    ++listed;
    drawn += <f64>keySum;
    drawnOnce += <u32>(keySum == 1);
    drawnTwice += <u32>(keySum == 2);
  }
  return addresses;
}
