import { type ModelHead, ONNX_VERSION } from "./head.ts";
import { DOUBLE, intAttribute, NODE_ATTRIBUTE, TARGETS, TENSOR, textAttribute } from "./onnx-attributes.ts";
import { concat, field, numberField, prefix } from "./protobuf.ts";

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

/** Before each field of the model's head in the file's metadata, which holds them as JSON. */
export const METADATA = "kindling.";

/** Says whose file it is. */
export const PRODUCER = "kindling";

/** The graph's names: features [N, F] and prediction [N, 1], both doubles. */
const INPUT = "features";
const OUTPUT = "prediction";

/**
 * What stands before and after the ensemble's attributes of `attributeBytes` in the file. The ensemble gives the leaves' sum in two
 * parts, as single floats; added up as doubles they are that of `Forest`, and all else is computed from it as it is here.
 */
export function onnxFrame(head: ModelHead, attributeBytes: number): { before: Uint8Array; after: Uint8Array } {
  const ensemble = concat([
    ...nodeFields("TreeEnsembleRegressor", [INPUT], "parts_as_float"),
    field(NODE.domain, "ai.onnx.ml"),
    textAttribute("aggregate_function", "SUM"),
    textAttribute("post_transform", "NONE"),
    intAttribute("n_targets", TARGETS),
  ]);
  const ensembleBytes = ensemble.byteLength + attributeBytes;
  const { base, scale, trees, models = trees, linear } = head;
  const after = concat([
    node("Cast", ["parts_as_float"], "parts", intAttribute("to", DOUBLE)),
    node("MatMul", ["parts", "ones"], "sum"),
    node("Add", ["sum", "shift"], "shifted"),
    node("Div", ["shifted", "divisor"], linear === undefined ? OUTPUT : "mean"),
    ...(linear === undefined ? [] : linearNodes()),
    field(GRAPH.name, "forest"),
    doubles("ones", [TARGETS, 1], new Array<number>(TARGETS).fill(1)),
    doubles("shift", [1], [models * Math.round(base * scale)]),
    doubles("divisor", [1], [models * scale]),
    ...(linear === undefined
      ? []
      : [
          doubles("means", [linear.means.length], linear.means),
          doubles("coefficients", [linear.coefficients.length, 1], linear.coefficients),
          doubles("intercept", [1], [linear.intercept]),
        ]),
    field(GRAPH.input, matrix(INPUT, head.features.length)),
    field(GRAPH.output, matrix(OUTPUT, 1)),
  ]);
  const before = concat([
    numberField(MODEL.irVersion, IR_VERSION),
    field(MODEL.producer, PRODUCER),
    field(MODEL.opset, field(1, ""), numberField(2, OPSET)),
    field(MODEL.opset, field(1, "ai.onnx.ml"), numberField(2, TREES_OPSET)),
    ...Object.entries({ ...head, version: ONNX_VERSION }).map(([key, value]) =>
      field(MODEL.metadata, field(1, `${METADATA}${key}`), field(2, JSON.stringify(value))),
    ),
    prefix(MODEL.graph, prefix(GRAPH.node, ensembleBytes).byteLength + ensembleBytes + after.byteLength),
    prefix(GRAPH.node, ensembleBytes),
    ensemble,
  ]);
  return { before, after };
}

/** Coefficients times the distance from the means, where a missing value has none. */
const linearNodes = (): Uint8Array[] => [
  node("IsNaN", [INPUT], "is_missing"),
  node("Where", ["is_missing", "means", INPUT], "known"),
  node("Sub", ["known", "means"], "distances"),
  node("MatMul", ["distances", "coefficients"], "slope"),
  node("Add", ["slope", "intercept"], "trend"),
  node("Add", ["mean", "trend"], OUTPUT),
];

const node = (operator: string, inputs: readonly string[], output: string, ...attributes: Uint8Array[]): Uint8Array =>
  field(GRAPH.node, ...nodeFields(operator, inputs, output), ...attributes);

const nodeFields = (operator: string, inputs: readonly string[], output: string): Uint8Array[] => [
  ...inputs.map((input) => field(NODE.input, input)),
  field(NODE.output, output),
  field(NODE.operator, operator),
];

/** A constant of the graph. */
function doubles(name: string, shape: readonly number[], values: readonly number[]): Uint8Array {
  const data = new DataView(new ArrayBuffer(values.length * 8));
  values.forEach((value, index) => {
    data.setFloat64(index * 8, value, true);
  });
  return field(
    GRAPH.initializer,
    ...shape.map((length) => numberField(TENSOR.dims, length)),
    numberField(TENSOR.dataType, DOUBLE),
    field(TENSOR.doubles, new Uint8Array(data.buffer)),
    field(TENSOR_NAME, name),
  );
}

/** ValueInfoProto of a matrix of doubles with as many rows as one likes. */
function matrix(name: string, columns: number): Uint8Array {
  const shape = concat([field(1, field(2, "N")), field(1, numberField(1, columns))]);
  const tensor = concat([numberField(1, DOUBLE), field(2, shape)]);
  return concat([field(1, name), field(2, field(1, tensor))]);
}
