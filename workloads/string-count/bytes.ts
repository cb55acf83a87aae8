/**
 * Keys are byte strings: a JavaScript string with one character (0 … 255) for each byte. Comparing two of them with `<`
 * compares their bytes, and a Map finds them.
 */
export type ByteString = string;

/** Characters that one call of String.fromCharCode takes safely. */
const CHARACTERS_PER_CALL = 8192;
const SHORT_KEY = 16;

/** The bytes [from, to) as characters. */
export function toByteString(bytes: Uint8Array, from = 0, to = bytes.length): ByteString {
  let text = "";
  // A view and a spread call cost more than the few characters of most keys.
  if (to - from <= SHORT_KEY) {
    for (let at = from; at < to; at++) text += String.fromCharCode(bytes[at] as number);
    return text;
  }
  for (let at = from; at < to; at += CHARACTERS_PER_CALL) {
    text += String.fromCharCode(...bytes.subarray(at, Math.min(to, at + CHARACTERS_PER_CALL)));
  }
  return text;
}

function fromByteString(text: ByteString): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

export const utf8ToByteString = (text: string): ByteString => toByteString(new TextEncoder().encode(text));

/** Bytes that are not UTF-8 show as U+FFFD. */
export const byteStringToText = (bytes: ByteString): string =>
  new TextDecoder("utf-8", { ignoreBOM: true }).decode(fromByteString(bytes));

const strictUtf8 = new TextDecoder("utf-8", { fatal: true });

export function isUtf8(bytes: ByteString): boolean {
  if (!/[\x80-\xff]/.test(bytes)) return true;
  try {
    strictUtf8.decode(fromByteString(bytes));
    return true;
  } catch {
    return false;
  }
}

/** Text for a message: at most 60 characters, in quotation marks, control characters escaped. */
export function quoted(text: string): string {
  const characters = [...text];
  return JSON.stringify(characters.length > 60 ? `${characters.slice(0, 60).join("")}…` : text);
}

/** A growing run of bytes. */
export class ByteWriter {
  private bytes = new Uint8Array(1024);
  length = 0;

  byte(value: number): void {
    if (this.length === this.bytes.length) this.grow(1);
    this.bytes[this.length++] = value;
  }

  text(value: ByteString): void {
    for (let at = 0; at < value.length; at++) this.byte(value.charCodeAt(at));
  }

  /** The bytes written, copied. */
  done(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }

  private grow(bytes: number): void {
    const grown = new Uint8Array(Math.max(this.length + bytes, this.bytes.length * 2));
    grown.set(this.bytes);
    this.bytes = grown;
  }
}
