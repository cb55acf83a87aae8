/** Whether the bytes are UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF. */
export function isUtf8(at: usize, length: usize): bool {
  const end = at + length;
  while (at < end) {
    const lead = load<u8>(at++);
    if (lead < 0x80) continue;
    let following: u32;
    let lowest: u8 = 0x80;
    let highest: u8 = 0xbf;
    if (lead >= 0xc2 && lead <= 0xdf) following = 1;
    else if (lead >= 0xe0 && lead <= 0xef) {
      following = 2;
      if (lead == 0xe0) lowest = 0xa0;
      if (lead == 0xed) highest = 0x9f;
    } else if (lead >= 0xf0 && lead <= 0xf4) {
      following = 3;
      if (lead == 0xf0) lowest = 0x90;
      if (lead == 0xf4) highest = 0x8f;
    } else return false;
    if (at + following > end) return false;
    for (let i: u32 = 0; i < following; ++i) {
      const byte = load<u8>(at++);
      if (byte < lowest || byte > highest) return false;
      lowest = 0x80;
      highest = 0xbf;
    }
  }
  return true;
}

const words = memory.data(24, 8);

/** Whether the bytes of three words are UTF-8, zeros among them. */
export function areUtf8Words(word0: u64, word1: u64, word2: u64): bool {
  if (((word0 | word1 | word2) & 0x8080808080808080) == 0) return true;
  store<u64>(words, word0);
  store<u64>(words, word1, 8);
  store<u64>(words, word2, 16);
  return isPlain(v128.load(words), v128.load64_zero(words, 16)) || isUtf8(words, 24);
}

/**
 * Whether the 32 bytes are UTF-8 of at most three bytes each for certain: every lead byte has its continuation bytes, and there are no
 * others. False also for those lead bytes after which not every continuation byte may come.
 */
function isPlain(a: v128, b: v128): bool {
  const firstLead = i8x16.splat(<i8>0xc0);
  const following = maskOf(i8x16.lt_s(a, firstLead), i8x16.lt_s(b, firstLead));
  const firstOfThree = i8x16.splat(<i8>0xe0);
  const three = maskOf(i8x16.ge_u(a, firstOfThree), i8x16.ge_u(b, firstOfThree));
  const leads = maskOf(a, b) & ~following;
  return !v128.any_true(v128.or(oddLeads(a), oddLeads(b))) && following == ((leads << 1) | (three << 2));
}

// @ts-ignore: decorator
@inline
function maskOf(a: v128, b: v128): u64 {
  return <u64>(<u32>i8x16.bitmask(a) | (<u32>i8x16.bitmask(b) << 16));
}

/** Bytes that lead overlong forms, surrogates or four bytes, or are never in UTF-8: C0, C1, E0, ED, F0 and above. */
// @ts-ignore: decorator
@inline
function oddLeads(bytes: v128): v128 {
  const overlong = i8x16.eq(v128.and(bytes, i8x16.splat(<i8>0xfe)), i8x16.splat(<i8>0xc0));
  const special = v128.or(i8x16.eq(bytes, i8x16.splat(<i8>0xe0)), i8x16.eq(bytes, i8x16.splat(<i8>0xed)));
  return v128.or(v128.or(overlong, special), i8x16.ge_u(bytes, i8x16.splat(<i8>0xf0)));
}
