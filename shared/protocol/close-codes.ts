import { CLOSE_CODES, type CloseKind, type CloseReason } from "./channel.ts";

/** RFC 6455: a close frame carries at most 125 bytes, two of which are the code. */
const MAX_DETAIL_BYTES = 123;
/** What a WebSocket library sends by itself for a message over its limit. */
const MESSAGE_TOO_BIG = 1009;

const kinds = new Map<number, CloseKind>(Object.entries(CLOSE_CODES).map(([kind, code]) => [code, kind as CloseKind]));

/** A WebSocket's close event in the protocol's words. A code that is not ours means that the connection broke. */
export function closeReasonOf(code: number, detail: string): CloseReason {
  if (code === MESSAGE_TOO_BIG) return { kind: "limit", detail: detail || "a message was too large" };
  const kind = kinds.get(code) ?? "lost";
  return { kind, detail: detail || (kind === "lost" ? `the connection broke (code ${code})` : "") };
}

/** A detail cut to what fits into a close frame, between characters. */
export function closeDetail(detail: string): string {
  const encoder = new TextEncoder();
  let fits = detail;
  while (encoder.encode(fits).byteLength > MAX_DETAIL_BYTES) fits = [...fits].slice(0, -1).join("");
  return fits;
}
