import { InputError } from "kindling";
import { expect, test } from "vitest";
import { readModel } from "./read-model.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const head = {
  format: "kindling-forest",
  version: 1,
  model: "rf",
  target: "y",
  features: ["a"],
  plan: { same: ["a"], harmonics: 0, horizon: null, past: [], lags: [], windows: [] },
  cleaning: { a: null },
  trained: { rows: 3, from: "20200101", to: "20200103" },
  options: { seed: 1, maxDepth: null, minLeaf: 1, maxFeatures: 1 },
  base: 0,
  scale: 1,
  trees: 1,
};
const tree = { column: [0, -1, -1], missing: "R..", value: [1, 2, 3], left: [1, 0, 0] };
const json = (more: object): Uint8Array => bytes(JSON.stringify({ ...head, forest: [tree], ...more }));

test("a model of JSON", () => {
  const { forest } = readModel(json({}), "m.json");
  expect(forest).toMatchObject({ first: 0, models: 1 });
  expect([...forest.sizes, ...forest.column, ...forest.value, ...forest.left]).toEqual([
    3, 0, 0xffff, 0xffff, 1, 2, 3, 1, 0, 0,
  ]);
});

const linear = { intercept: 1, coefficients: [1], means: [0] };

test.each([
  ["target", undefined],
  ["features", []],
  ["plan", undefined],
  ["plan.same", undefined, { plan: {} }],
  ["plan.lags.0", undefined, { plan: { ...head.plan, lags: [1.5] } }],
  ["cleaning", null],
  ["cleaning", {}],
  ["cleaning.a.low", undefined, { cleaning: { a: { high: 2 } } }],
  ["trained", undefined],
  ["options.seed", undefined, { options: {} }],
  ["base", undefined],
  ["scale", undefined],
  ["scale", 0],
  ["scale", "8"],
  ["trees", 0],
  ["models", 0],
  ["models", 2],
  ["linear", { ...linear, coefficients: [1, 2] }],
  ["linear", { ...linear, means: [] }],
  ["linear.intercept", undefined, { linear: { ...linear, intercept: null } }],
  ["version", undefined],
])("refuses a head whose %s is %o, and names file and field", (field, value, more: object = { [field]: value }) => {
  expect(() => readModel(json(more), "m.json")).toThrow(InputError);
  expect(() => readModel(json(more), "m.json")).toThrow(`m.json: the model is damaged: ${field}: `);
});

test.each([
  ["an older version", json({ version: 0 }), "the model has version 0, and this program reads version 1"],
  ["another kind", json({ format: "another-forest" }), "this is no model of forecast"],
  [
    "the library's own model",
    bytes('{"name":"RFRegression","baseModel":{}}'),
    "this is the model of --engine ml-random-forest, which is for that library to load",
  ],
  ["several series", json({ format: "kindling-forest-series" }), "models of several series"],
  ["text that is cut short", bytes('{"format":"kindl'), "the model is damaged"],
  ["no trees", json({ forest: undefined }), "forest: it is no list"],
  ["a tree that is not there", json({ trees: 2 }), "has not all of its trees"],
  ["a tree without nodes", json({ forest: [{ column: [], missing: "", value: [], left: [] }] }), "tree 0 has no node"],
  ["a node that leads back", json({ forest: [{ ...tree, left: [0, 0, 0] }] }), "a node of tree 0 leads nowhere"],
  ["a node that leads out", json({ forest: [{ ...tree, left: [2, 0, 0] }] }), "a node of tree 0 leads nowhere"],
  ["a feature that is none", json({ forest: [{ ...tree, column: [1, -1, -1] }] }), "a node of tree 0 leads nowhere"],
  ["a feature between two", json({ forest: [{ ...tree, column: [0.5, -1, -1] }] }), "column of tree 0: it is no list"],
  ["a missing side that is none", json({ forest: [{ ...tree, missing: "X.." }] }), "disagree at node 0"],
  ["a leaf with a missing side", json({ forest: [{ ...tree, missing: "RR." }] }), "disagree at node 1"],
  [
    "a short list of missing sides",
    json({ forest: [{ ...tree, missing: "R." }] }),
    "missing of tree 0: it has 2 entries",
  ],
  ["a short list of values", json({ forest: [{ ...tree, value: [1, 2] }] }), "value of tree 0: it has 2 entries for 3"],
  ["a short list of children", json({ forest: [{ ...tree, left: [1] }] }), "left of tree 0: it has 1 entries for 3"],
  ["a leaf of text", json({ forest: [{ ...tree, value: [1, "2", 3] }] }), "value of tree 0: it is no list of numbers"],
  ["a leaf between two units", json({ forest: [{ ...tree, value: [1, 2.5, 3] }] }), "has a value that is none"],
  ["a tree that is none", json({ forest: [null] }), "column of tree 0: it is no list"],
  ["a picture", Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10), "this is no model of forecast"],
  ["nothing", new Uint8Array(), "this is no model of forecast"],
])("refuses %s, and names the file", (_, file, message) => {
  expect(() => readModel(file, "m.json")).toThrow(`m.json: `);
  expect(() => readModel(file, "m.json")).toThrow(message);
});
