import { defineTask } from "kindling";
import type { Prepared } from "../data/prepared.ts";
import type { Forest } from "../forest/forest.ts";
import { type HeadInput, modelHead } from "../model-file/head.ts";
import { encodePieces, joinPieces, type Piece } from "../model-file/onnx-attributes.ts";
import { onnxFrame } from "../model-file/onnx-model.ts";

/** Turns trees into attributes: what they add to each of the COLUMN_COUNT lists of the file. Broadcast: `coarseUnit`. */
export const onnxPieces = defineTask<Forest, Piece[], number>({
  js: (forest, context) => encodePieces(forest, context.broadcast, (bytes) => context.allocate(bytes)),
});

export type AttributeSummary = { readonly bytes: number };

/** One whole attribute, a part of the file. */
export const onnxAttribute = defineTask<readonly Piece[], Uint8Array, undefined, AttributeSummary>({
  js(pieces, context) {
    const attribute = joinPieces(context.partition, pieces, (bytes) => context.allocate(bytes));
    context.report({ bytes: attribute.byteLength });
    return attribute;
  },
});

export type FrameInput = HeadInput & { readonly attributeBytes: number; readonly part: "before" | "after" };

/** The part of the file before its attributes, or the one after them. */
export const onnxPart = defineTask<FrameInput, Uint8Array, Prepared>({
  js: ({ attributeBytes, part, ...input }, { broadcast }) =>
    onnxFrame(modelHead(input, broadcast), attributeBytes)[part],
});
