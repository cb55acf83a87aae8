import { expect, test } from "vitest";
import { executorOf, withOutputs, withWorkers } from "./run-options.ts";

const options = [
  { param: "modelFormat", flag: "model-format", property: { enum: ["json", "onnx"] }, required: false },
  { param: "output", flag: "output", property: { enum: ["csv", "parquet"] }, required: false },
];

test.each([
  [{ "model-out": "a.ONNX", out: "b.csv" }, {}, { modelFormat: "onnx", output: "csv" }],
  [{ "model-out": "/dev/null", out: "result" }, {}, {}],
  [{ "model-out": "a.onnx" }, { modelFormat: "onnx" }, { modelFormat: "onnx" }],
  // Who says the format may call the file as they like.
  [{ out: "b.txt" }, { output: "csv" }, { output: "csv" }],
])("the ending of a file says its format: %j with %j", (own, params, expected) => {
  expect(withOutputs(params, own, options)).toEqual(expected);
});

test.each([
  [{ "model-out": "a.pkl" }, {}, "--model-out a.pkl: its ending says the format, and must be .json or .onnx"],
  [{ out: "b.xlsx" }, {}, "--out b.xlsx: its ending says the format, and must be .csv or .parquet"],
  [{ "model-out": "a.json" }, { modelFormat: "onnx" }, "--model-out a.json: --model-format onnx says another format"],
])("another ending, or another format, is refused: %j with %j", (own, params, message) => {
  expect(() => withOutputs(params, own, options)).toThrow(expect.objectContaining({ code: "BadUsage", message }));
});

test.each([
  [{ on: "http://a", slots: "2", memory: "1G" }, "--slots and --memory: only with --executor local"],
  [{ executor: "spark", memory: "1G" }, "--memory: only with --executor local"],
])("what only local workers heed is refused elsewhere: %j", (own, message) => {
  expect(() => executorOf(own, undefined)).toThrow(expect.objectContaining({ code: "BadUsage", message }));
});

test("a workload without formats takes any ending", () => {
  expect(withOutputs({}, { out: "a.txt" }, [])).toEqual({});
});

test("a workload that asks for them gets the local workers' number and share of memory, unless told otherwise", () => {
  const asking = ["workers", "taskMemory"].map((kindling) => ({
    ...{ param: `my ${kindling}`, flag: kindling, required: false },
    property: { kindling },
  }));
  expect(withWorkers({}, { slots: "4", memory: "1M" }, asking)).toEqual({ "my workers": 4, "my taskMemory": 2 ** 18 });
  expect(withWorkers({}, { slots: "4" }, asking)).toEqual({ "my workers": 4 });
  const given = { "my workers": 9, "my taskMemory": 7 };
  expect(withWorkers(given, { slots: "4", memory: "1M" }, asking)).toEqual(given);
  const needing = [{ param: "t", flag: "t", required: false, property: { kindling: "taskMemory", minimum: 2 ** 22 } }];
  const little = () => withWorkers({}, { slots: "4", memory: "15M" }, needing);
  expect(little).toThrow("--memory 15M is too little for 4 workers, of which each needs 4194304 bytes");
  expect(withWorkers({}, { slots: "4", memory: "16M" }, needing)).toEqual({ t: 2 ** 22 });
  const other = { param: "workers", flag: "workers", property: {}, required: false };
  expect(withWorkers({}, { slots: "4", memory: "1M" }, [other])).toEqual({});
});
