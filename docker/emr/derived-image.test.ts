import { expect, test } from "vitest";
import { checkRequirements, derivedDockerfile } from "./derived-image.ts";

test("the packages are installed by root, and the image runs as nobody in particular", () => {
  const lines = derivedDockerfile("kindling-spark:1").trimEnd().split("\n");
  expect(lines[0]).toBe("FROM kindling-spark:1");
  expect(lines.at(-1)).toBe("USER kindling");
  expect(lines.findIndex((line) => line.startsWith("RUN"))).toBeGreaterThan(lines.indexOf("USER root"));
});

test.each(["a\nRUN rm", "a b", "", "a/b;c"])("%j is no image", (base) => {
  expect(() => derivedDockerfile(base)).toThrow("is not the name of an image");
});

test.each([
  ["numpy==1.26.4\n-e .\n", "req.txt, line 2: -e . names a path"],
  ["-r other.txt", "req.txt, line 1: -r other.txt names a path"],
  ["./local.whl", "req.txt, line 1: ./local.whl names a path"],
  ["# nothing\n\n", "req.txt names no package"],
])("requirements %j", (text, message) => {
  expect(() => checkRequirements("req.txt", text)).toThrow(message);
});

test("requirements as the original's", () => {
  const text = "python-dateutil==2.8.1\nscikit-image==0.18.1\nstatsmodels==0.12.2\nscikit-learn==0.23.2\n";
  expect(() => checkRequirements("req.txt", text)).not.toThrow();
});
