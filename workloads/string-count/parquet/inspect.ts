import { type FileMetaData, parquetMetadata, type SchemaElement } from "hyparquet";
import { type ByteReader, InputError, type TaskContext } from "kindling";
import { quoted } from "../bytes.ts";
import type { Reading } from "../reading.ts";
import { CODECS, type ColumnChunk, packGroups, type ParquetFile, type RowGroup, type ValueType } from "./plan.ts";

export type ParquetInspectInput = {
  readonly source: number;
  /** Column names. */
  readonly key: string;
  readonly value: string;
};

const MAGIC = "PAR1";
const ENCRYPTED_MAGIC = "PARE";
/** The footer's length and the magic. */
const TAIL_BYTES = 8;
const MAX_FOOTER_BYTES = 2 ** 28;
/** So much of the file's end is read at once: most footers are shorter. */
const END_BYTES = 2 ** 18;
const SHOWN_COLUMNS = 20;

/** Reads a Parquet file's footer: where the two columns' chunks are. */
export function* inspectParquet(input: ParquetInspectInput, context: TaskContext): Reading<ParquetFile> {
  const reader = context.open(input.source);
  const fault = (what: string): InputError => new InputError(`${reader.name}: ${what}`);
  if (reader.size < 2 * TAIL_BYTES - 4)
    throw fault("it is too short for a Parquet file; is it one? (--format csv|parquet)");
  const end = new Uint8Array(Math.min(END_BYTES, reader.size));
  yield reader.readInto(end, reader.size - end.length);
  const tail = end.slice(-TAIL_BYTES);
  const magic = String.fromCharCode(...tail.subarray(4));
  if (magic === ENCRYPTED_MAGIC) throw fault("its footer is encrypted, which is not supported");
  if (magic !== MAGIC) throw fault("it does not end as a Parquet file does; is it one? (--format csv|parquet)");
  const length = new DataView(tail.buffer).getUint32(0, true);
  if (length > Math.min(MAX_FOOTER_BYTES, reader.size - TAIL_BYTES)) throw fault("its footer is damaged: cut short?");
  const footer = yield* lastBytes(reader, end, length + TAIL_BYTES);
  let metadata: FileMetaData;
  try {
    metadata = parquetMetadata(footer, { geoparquet: false });
  } catch {
    throw fault("its footer is damaged: write the file again");
  }
  return planOf(metadata, input, reader.size, fault);
}

/** The file's last `bytes` bytes; `end` are those that were read. */
function* lastBytes(reader: ByteReader, end: Uint8Array, bytes: number): Reading<Uint8Array> {
  if (bytes <= end.length) return end.subarray(end.length - bytes);
  const all = new Uint8Array(bytes);
  const rest = all.subarray(0, bytes - end.length);
  yield reader.readInto(rest, reader.size - bytes);
  all.set(end, rest.length);
  return all;
}

function planOf(
  metadata: FileMetaData,
  input: ParquetInspectInput,
  size: number,
  fault: (what: string) => InputError,
): ParquetFile {
  const key = findColumn(metadata, input.key, "--key", fault);
  const value = findColumn(metadata, input.value, "--value", fault);
  if (key.element.type !== "BYTE_ARRAY" || key.element.converted_type === "DECIMAL") {
    throw fault(
      `column ${quoted(input.key)} (--key) has type ${typeName(key.element)}; keys must be text (BYTE_ARRAY)`,
    );
  }
  const groups = metadata.row_groups.map((group, index): RowGroup => {
    const chunk = (column: Column, name: string): ColumnChunk => {
      const where = `row group ${index + 1}, column ${quoted(name)}`;
      const { meta_data: meta, file_path: path } = group.columns[column.index] ?? {};
      if (path !== undefined) throw fault(`${where}: its data are in another file, ${quoted(path)}`);
      if (meta === undefined) throw fault(`${where}: the footer says nothing of it (is it encrypted?)`);
      const codec = CODECS.find((known) => known === meta.codec);
      if (codec === undefined) {
        throw fault(
          `${where}: it is compressed with ${meta.codec}; ${CODECS.slice(1).join(", ")} and none can be read`,
        );
      }
      // Some writers say 0 for no dictionary.
      const first = Number(meta.dictionary_page_offset ?? 0n);
      const data = Number(meta.data_page_offset);
      const start = first > 0 && first < data ? first : data;
      const end = start + Number(meta.total_compressed_size);
      if (!(start >= 0 && end >= start && end <= size)) throw fault(`${where}: the footer is damaged`);
      return { start, end, codec };
    };
    const rows = Number(group.num_rows);
    if (!Number.isSafeInteger(rows) || rows < 0) throw fault(`row group ${index + 1}: the footer is damaged`);
    return { index, rows, key: chunk(key, input.key), value: chunk(value, input.value) };
  });
  return {
    valueType: valueTypeOf(value.element, input.value, fault),
    keyIsOptional: key.element.repetition_type === "OPTIONAL",
    valueIsOptional: value.element.repetition_type === "OPTIONAL",
    groups: packGroups(groups.filter((group) => group.rows > 0)),
  };
}

interface Column {
  /** Among the row groups' chunks. */
  readonly index: number;
  readonly element: SchemaElement;
}

/** A column at the top of the schema that holds plain values. */
function findColumn(
  { schema }: FileMetaData,
  name: string,
  option: string,
  fault: (what: string) => InputError,
): Column {
  const found: Column[] = [];
  const names: string[] = [];
  let leaf = 0;
  /** Passes over an element with all below it; gives the next one's place. */
  const pass = (at: number): number => {
    const children = schema[at]?.num_children ?? 0;
    if (children === 0) leaf++;
    let next = at + 1;
    for (let child = 0; child < children && next < schema.length; child++) next = pass(next);
    return next;
  };
  for (let at = 1; at < schema.length; ) {
    const element = schema[at] as SchemaElement;
    if (element.name === name) found.push({ index: leaf, element });
    names.push(element.name);
    at = pass(at);
  }
  const [column] = found;
  if (column === undefined) {
    const shown = names.slice(0, SHOWN_COLUMNS).map(quoted).join(", ");
    const more = names.length > SHOWN_COLUMNS ? ` and ${names.length - SHOWN_COLUMNS} more` : "";
    throw fault(
      `there is no column ${quoted(name)} (${option}); the columns are ${shown}${more}; choose with ${option}`,
    );
  }
  if (found.length > 1) throw fault(`two columns are called ${quoted(name)} (${option}); rename one of them`);
  if ((column.element.num_children ?? 0) > 0 || column.element.repetition_type === "REPEATED") {
    throw fault(`column ${quoted(name)} (${option}) is nested; choose one with a single value a row`);
  }
  return column;
}

const INTEGERS = /^(U?INT_(8|16|32)|INT_64)$/;

function valueTypeOf(element: SchemaElement, name: string, fault: (what: string) => InputError): ValueType {
  const { type, converted_type: converted, logical_type: logical } = element;
  const isInteger =
    (converted === undefined || INTEGERS.test(converted)) &&
    (logical === undefined || (logical.type === "INTEGER" && (logical.isSigned || logical.bitWidth < 64)));
  if ((type !== "INT32" && type !== "INT64") || !isInteger) {
    throw fault(
      `column ${quoted(name)} (--value) has type ${typeName(element)}; values must be integers that fit into signed 64 bits`,
    );
  }
  const isUnsigned = converted?.startsWith("UINT") === true || (logical?.type === "INTEGER" && !logical.isSigned);
  return type === "INT64" ? "INT64" : isUnsigned ? "UINT32" : "INT32";
}

const typeName = ({ type, logical_type: logical, converted_type: converted }: SchemaElement): string => {
  const meaning = logical?.type ?? converted;
  return meaning === undefined ? String(type) : `${String(type)} (${meaning})`;
};
