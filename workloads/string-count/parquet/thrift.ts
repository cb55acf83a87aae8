import { ByteWriter } from "../bytes.ts";

const I32 = 5;
const I64 = 6;
const BINARY = 8;
const LIST = 9;
const STRUCT = 12;

/** Writes one struct of Thrift's compact protocol; fields in ascending order. */
export class ThriftStruct {
  private readonly out = new ByteWriter();
  private last = 0;

  int32(id: number, value: number): this {
    this.field(id, I32);
    this.varint(BigInt.asUintN(32, (BigInt(value) << 1n) ^ (BigInt(value) >> 31n)));
    return this;
  }

  int64(id: number, value: number): this {
    this.field(id, I64);
    this.varint(BigInt(value) << 1n);
    return this;
  }

  text(id: number, value: string): this {
    this.field(id, BINARY);
    this.string(value);
    return this;
  }

  struct(id: number, value: ThriftStruct): this {
    this.field(id, STRUCT);
    this.append(value.done());
    return this;
  }

  structs(id: number, values: readonly ThriftStruct[]): this {
    this.list(id, STRUCT, values.length);
    for (const value of values) this.append(value.done());
    return this;
  }

  int32s(id: number, values: readonly number[]): this {
    this.list(id, I32, values.length);
    for (const value of values) this.varint(BigInt(value) << 1n);
    return this;
  }

  texts(id: number, values: readonly string[]): this {
    this.list(id, BINARY, values.length);
    for (const value of values) this.string(value);
    return this;
  }

  done(): Uint8Array {
    const fields = this.out.done();
    const bytes = new Uint8Array(fields.length + 1);
    bytes.set(fields);
    return bytes;
  }

  private field(id: number, type: number): void {
    this.out.byte(((id - this.last) << 4) | type);
    this.last = id;
  }

  private list(id: number, type: number, length: number): void {
    this.field(id, LIST);
    this.out.byte((Math.min(length, 15) << 4) | type);
    if (length >= 15) this.varint(BigInt(length));
  }

  private string(value: string): void {
    const bytes = new TextEncoder().encode(value);
    this.varint(BigInt(bytes.length));
    this.append(bytes);
  }

  private append(bytes: Uint8Array): void {
    for (const byte of bytes) this.out.byte(byte);
  }

  private varint(value: bigint): void {
    let rest = value;
    for (; rest >= 0x80n; rest >>= 7n) this.out.byte(Number(rest & 0x7fn) | 0x80);
    this.out.byte(Number(rest));
  }
}
