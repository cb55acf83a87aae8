import type { ModelHead } from "./head.ts";
import { DOUBLE, intAttribute, NODE_ATTRIBUTE, TENSOR, textAttribute } from "./onnx-attributes.ts";
import { concat, field, lengthOf, numberField, prefix } from "./protobuf.ts";

/** Fields of ModelProto, GraphProto and NodeProto, from onnx.proto. */
export const MODEL = { irVersion: 1, producer: 2, graph: 7, opset: 8, metadata: 14 };
export const GRAPH = { node: 1, name: 2, initializer: 5, input: 11, output: 12 };
const NODE = { input: 1, output: 2, operator: 4, attribute: NODE_ATTRIBUTE, domain: 7 };
const TENSOR_NAME = 8;

/** The ONNX release 1.12: the first version of both operator sets with all that is used here. */
const IR_VERSION = 8;
const OPSET = 13;
/** The first one whose thresholds and weights may be doubles; newer runtimes still take it. */
const TREES_OPSET = 3;

/** The graph's names: features [N, F] and prediction [N, 1], both doubles. */
export const INPUT = "features";
export const OUTPUT = "prediction";

/**
 * What stands before and after the ensemble's attributes of `attributeBytes` in the file. The ensemble gives the mean leaf
 * as a single float, so `base` is added after it, in doubles: what is rounded is the distance from `base` alone.
 */
export function onnxFrame(head: ModelHead, attributeBytes: number): { before: Uint8Array; after: Uint8Array } {
  const ensemble = concat([
    field(NODE.input, INPUT),
    field(NODE.output, "distance_as_float"),
    field(NODE.operator, "TreeEnsembleRegressor"),
    field(NODE.domain, "ai.onnx.ml"),
    textAttribute("aggregate_function", "AVERAGE"),
    textAttribute("post_transform", "NONE"),
    intAttribute("n_targets", 1),
  ]);
  const ensembleBytes = ensemble.byteLength + attributeBytes;
  const after = concat([
    field(
      GRAPH.node,
      field(NODE.input, "distance_as_float"),
      field(NODE.output, "distance"),
      field(NODE.operator, "Cast"),
      intAttribute("to", DOUBLE),
    ),
    operation("Add", ["distance", "base"], head.linear === undefined ? OUTPUT : "trees"),
    ...(head.linear === undefined ? [] : TREND),
    field(GRAPH.name, "forest"),
    constant("base", [1], [head.base + (head.linear?.intercept ?? 0)]),
    ...(head.linear === undefined
      ? []
      : [
          constant("means", [head.features.length], head.linear.means),
          constant("coefficients", [head.features.length, 1], head.linear.coefficients),
        ]),
    field(GRAPH.input, matrix(INPUT, head.features.length)),
    field(GRAPH.output, matrix(OUTPUT, 1)),
  ]);
  const node = prefix(GRAPH.node, ensembleBytes);
  const before = concat([
    numberField(MODEL.irVersion, IR_VERSION),
    field(MODEL.producer, "kindling"),
    field(MODEL.opset, field(1, ""), numberField(2, OPSET)),
    field(MODEL.opset, field(1, "ai.onnx.ml"), numberField(2, TREES_OPSET)),
    ...Object.entries(head).map(([key, value]) =>
      field(MODEL.metadata, field(1, `kindling.${key}`), field(2, JSON.stringify(value))),
    ),
    prefix(MODEL.graph, lengthOf([node, after]) + ensembleBytes),
    node,
    ensemble,
  ]);
  return { before, after };
}

const operation = (operator: string, inputs: readonly string[], output: string): Uint8Array =>
  field(
    GRAPH.node,
    ...inputs.map((input) => field(NODE.input, input)),
    field(NODE.output, output),
    field(NODE.operator, operator),
  );

/** Adds the linear model, in which a missing value counts as the mean. */
const TREND = [
  operation("IsNaN", [INPUT], "missing"),
  operation("Where", ["missing", "means", INPUT], "known"),
  operation("Sub", ["known", "means"], "centred"),
  operation("MatMul", ["centred", "coefficients"], "trend"),
  operation("Add", ["trees", "trend"], OUTPUT),
];

const constant = (name: string, shape: readonly number[], values: readonly number[]): Uint8Array =>
  field(
    GRAPH.initializer,
    ...shape.map((size) => numberField(TENSOR.dims, size)),
    numberField(TENSOR.dataType, DOUBLE),
    field(TENSOR.doubles, new Uint8Array(Float64Array.from(values).buffer)),
    field(TENSOR_NAME, name),
  );

/** ValueInfoProto of a matrix of doubles with as many rows as one likes. */
function matrix(name: string, columns: number): Uint8Array {
  const shape = concat([field(1, field(2, "N")), field(1, numberField(1, columns))]);
  const tensor = concat([numberField(1, DOUBLE), field(2, shape)]);
  return concat([field(1, name), field(2, field(1, tensor))]);
}
