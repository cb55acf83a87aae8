/**
 * What tasks exchange: plain data with typed arrays. It crosses threads by structured clone and the network by
 * the codec in protocol/value-codec.ts; both give back an equal value on every engine.
 */
export type Value =
  | null
  | undefined
  | boolean
  | number
  | bigint
  | string
  | TypedArray
  | readonly Value[]
  | { readonly [key: string]: Value };

export type TypedArray =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array;
