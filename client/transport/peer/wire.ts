import * as z from "zod";
import { KindlingError } from "../../../shared/errors.ts";
import { type BlobHash, blobHash, type ChunkKey, parseChunkKey } from "../../../shared/ids.ts";
import { decodeValue, encodeValue } from "../../../shared/protocol/value-codec.ts";
import type { Value } from "../../../shared/value.ts";

/** What two nodes say to each other over their connection: PROTOCOL.md, "Between nodes". */
export type PeerMessage =
  /** The chunk from that byte on, please. `transfer` is the requester's number for it. */
  | {
      readonly kind: "request";
      readonly transfer: number;
      readonly key: ChunkKey;
      readonly hash: BlobHash;
      readonly offset: number;
    }
  /** The chunk's whole length. */
  | { readonly kind: "header"; readonly transfer: number; readonly bytes: number }
  | { readonly kind: "data"; readonly transfer: number; readonly bytes: Uint8Array }
  | { readonly kind: "refused"; readonly transfer: number; readonly reason: "missing" | "offset" }
  | { readonly kind: "cancelled"; readonly transfer: number };

const KINDS = ["request", "header", "data", "refused", "cancelled"] as const;
const HEAD_BYTES = 5;
/** Bytes of a chunk in one frame; the whole frame has 64 KiB, which is what data channels carry fastest. */
export const DATA_BYTES = 64 * 1024 - HEAD_BYTES;
/** A frame of another kind than data is no longer. */
const MAX_CONTROL_BYTES = 1024;

const offset = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const request = z.object({
  key: z.string().transform(parseChunkKey),
  hash: z.string().transform(blobHash),
  offset,
});
const header = z.object({ bytes: offset });
const refused = z.object({ reason: z.enum(["missing", "offset"]) });

export function encodePeerFrame(message: PeerMessage): Uint8Array<ArrayBuffer> {
  const { kind, transfer, ...rest } = message;
  const body = message.kind === "data" ? message.bytes : message.kind === "cancelled" ? [] : encodeValue(rest as Value);
  const frame = new Uint8Array(HEAD_BYTES + body.length);
  frame[0] = KINDS.indexOf(kind) + 1;
  new DataView(frame.buffer).setUint32(1, transfer, true);
  frame.set(body, HEAD_BYTES);
  return frame;
}

/** The one place where another node's bytes become a message. Throws `BadFrame`; data are a view of the frame. */
export function decodePeerFrame(frame: Uint8Array): PeerMessage {
  const kind = KINDS[(frame[0] ?? 0) - 1];
  if (kind === undefined || frame.byteLength < HEAD_BYTES) throw bad("no known kind");
  const transfer = new DataView(frame.buffer, frame.byteOffset, frame.byteLength).getUint32(1, true);
  const body = frame.subarray(HEAD_BYTES);
  if (kind === "data") {
    if (body.byteLength === 0 || body.byteLength > DATA_BYTES) throw bad(`${body.byteLength} bytes of data`);
    return { kind, transfer, bytes: body };
  }
  if (kind === "cancelled") return { kind, transfer };
  if (body.byteLength > MAX_CONTROL_BYTES) throw bad(`${body.byteLength} bytes of a ${kind}`);
  const value = decodeValue(body);
  try {
    switch (kind) {
      case "request":
        return { kind, transfer, ...request.parse(value) };
      case "header":
        return { kind, transfer, ...header.parse(value) };
      case "refused":
        return { kind, transfer, ...refused.parse(value) };
    }
  } catch (cause) {
    throw bad(`a malformed ${kind}`, cause);
  }
}

const bad = (what: string, cause?: unknown): KindlingError =>
  new KindlingError("BadFrame", `Another node sent ${what}`, { cause });
