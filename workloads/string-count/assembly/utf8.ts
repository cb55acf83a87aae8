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
