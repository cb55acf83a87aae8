import { InputError } from "kindling";

/**
 * Reads RFC 4180 text strictly: records end with LF or CRLF, fields may be quoted, a quote within them is doubled. Blank
 * lines at the end do not count. Gives the records, the header first; `name` is the file, for messages, whose rows
 * are numbered from 1 with the header.
 */
export function parseCsv(text: string, name: string): string[][] {
  if (/\r[^\n]/.test(text) && !text.includes("\n")) {
    throw new InputError(`${name}: its lines end in CR alone; save the file with line ends of LF or CRLF`);
  }
  const records: string[][] = [];
  let fields: string[] = [];
  let at = 0;
  while (at < text.length) {
    const row = records.length + 1;
    const field = text[at] === '"' ? quotedField(text, at, name, row) : plainField(text, at, name, row);
    fields.push(field.value);
    at = field.end;
    if (text[at] === ",") {
      at++;
      // A comma at the very end still begins a field.
      if (at < text.length) continue;
      fields.push("");
    }
    at += text[at] === "\r" ? 2 : 1;
    records.push(fields);
    fields = [];
  }
  while (records.at(-1)?.join("") === "" && records.at(-1)?.length === 1) records.pop();
  return records;
}

interface Field {
  readonly value: string;
  /** Where the comma, the line end or the text's end follows. */
  readonly end: number;
}

function plainField(text: string, start: number, name: string, row: number): Field {
  let end = start;
  while (end < text.length && !endsField(text, end)) {
    if (text[end] === '"') throw new InputError(`${name}: row ${row}: a quote inside a field that is not quoted`);
    end++;
  }
  return { value: text.slice(start, end), end };
}

function quotedField(text: string, start: number, name: string, row: number): Field {
  let value = "";
  let at = start + 1;
  for (;;) {
    const quote = text.indexOf('"', at);
    if (quote < 0) throw new InputError(`${name}: row ${row}: a quoted field is not closed`);
    value += text.slice(at, quote);
    if (text[quote + 1] !== '"') {
      at = quote + 1;
      break;
    }
    value += '"';
    at = quote + 2;
  }
  if (at < text.length && !endsField(text, at)) {
    throw new InputError(`${name}: row ${row}: text after a closing quote`);
  }
  return { value, end: at };
}

const endsField = (text: string, at: number): boolean =>
  text[at] === "," || text[at] === "\n" || (text[at] === "\r" && text[at + 1] === "\n");

/**
 * A field as it must be written: quoted where it holds a comma, a quote or a line end; with an apostrophe before what a
 * spreadsheet would take for a formula.
 */
export function csvField(value: string): string {
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
