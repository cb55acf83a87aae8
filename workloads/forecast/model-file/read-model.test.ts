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
  cleaning: {},
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

test.each([
  ["an older version", json({ version: 0 }), "the model has version 0, and this program reads version 1"],
  ["another kind", json({ format: "another-forest" }), "this is no model of forecast"],
  [
    "the library's own model",
    bytes('{"name":"RFRegression","baseModel":{}}'),
    "this is the model of --engine ml-random-forest, which is for that library to load",
  ],
  ["several series", json({ format: "kindling-forest-series" }), "models of several series"],
  ["no plan", json({ plan: undefined }), "does not say what it predicts from"],
  ["text that is cut short", bytes('{"format":"kindl'), "the model is damaged"],
  ["a tree that is not there", json({ trees: 2 }), "has not all of its trees"],
  ["a node that leads back", json({ forest: [{ ...tree, left: [0, 0, 0] }] }), "a node of tree 0 leads nowhere"],
  ["a node that leads out", json({ forest: [{ ...tree, left: [2, 0, 0] }] }), "a node of tree 0 leads nowhere"],
  ["a feature that is none", json({ forest: [{ ...tree, column: [1, -1, -1] }] }), "a node of tree 0 leads nowhere"],
  ["a picture", Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10), "this is no model of forecast"],
  ["nothing", new Uint8Array(), "this is no model of forecast"],
])("refuses %s, and names the file", (_, file, message) => {
  expect(() => readModel(file, "m.json")).toThrow(`m.json: `);
  expect(() => readModel(file, "m.json")).toThrow(message);
});
