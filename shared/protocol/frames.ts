import type * as z from "zod";
import { config } from "zod";
import { KindlingError } from "../errors.ts";
import type { Value } from "../value.ts";
import { MAX_FRAME_BYTES, toCoordinator, type ToCoordinator, toNode, type ToNode } from "./messages.ts";
import { decodeValue, encodeValue, MAX_DEPTH } from "./value-codec.ts";

// Pages run under a CSP without unsafe-eval: schemas must not compile themselves.
config({ jitless: true });

/** A message as the bytes of one binary frame. */
export function encodeFrame(message: ToCoordinator | ToNode): Uint8Array<ArrayBuffer> {
  const frame = encodeValue(message as unknown as Value);
  if (frame.byteLength > MAX_FRAME_BYTES) {
    throw new KindlingError(
      "FrameTooLarge",
      `A ${message.type} message of ${frame.byteLength} bytes is over the limit of ${MAX_FRAME_BYTES}`,
    );
  }
  return frame;
}

/** The one place where bytes from a node become a message. Throws `BadFrame`. */
export const decodeFromNode = (frame: Uint8Array): ToCoordinator => parse(toCoordinator, frame);

/** The one place where bytes from a coordinator become a message. Throws `BadFrame`. */
export const decodeFromCoordinator = (frame: Uint8Array): ToNode => parse(toNode, frame);

function parse<S extends z.ZodType>(schema: S, frame: Uint8Array): z.output<S> {
  if (frame.byteLength > MAX_FRAME_BYTES) {
    throw new KindlingError("BadFrame", `A frame of ${frame.byteLength} bytes is over the limit of ${MAX_FRAME_BYTES}`);
  }
  const value = decodeValue(frame);
  if (!isShallow(value, MAX_DEPTH)) throw new KindlingError("BadFrame", `Nested deeper than ${MAX_DEPTH} levels`);
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new KindlingError("BadFrame", `Not a valid message: ${issue?.path.join(".") ?? ""} ${issue?.message ?? ""}`);
  }
  return parsed.data;
}

/** Whether a value could be encoded again: what cannot must not get as far as the journal. */
function isShallow(value: Value, levels: number): boolean {
  if (levels === 0) return false;
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return true;
  return Object.values(value).every((child: Value) => isShallow(child, levels - 1));
}
