import { expect, test } from "vitest";
import { h, textOf } from "./element.ts";
import { bar, button } from "./parts.ts";

test("children are flattened, absent ones left out, numbers are text", () => {
  const element = h("p", null, "a", [1, [false, null, h("b", null, "c")]], undefined);
  expect(element.children).toEqual(["a", "1", h("b", null, "c")]);
  expect(textOf(element)).toBe("a1c");
});

test("a bar of nothing is empty, and none grows past its end", () => {
  const widths = (done: number, running: number, total: number) =>
    bar({ label: "x", done, running, total }).props.style;
  expect(widths(0, 0, 0)).toEqual({ "--done": "0%", "--reach": "0%" });
  expect(widths(3, 2, 10)).toEqual({ "--done": "30%", "--reach": "50%" });
  expect(widths(9, 5, 10)).toEqual({ "--done": "90%", "--reach": "100%" });
});

test("a blocked button is disabled and says why", () => {
  const { props } = button("Run", () => {}, { blocked: "Busy" });
  expect(props).toMatchObject({ disabled: true, title: "Busy" });
});

test("the second click of a double click presses nothing", () => {
  let presses = 0;
  const { props } = button("Run", () => void presses++);
  props.on?.click?.({ detail: 1 } as PointerEvent);
  props.on?.click?.({ detail: 2 } as PointerEvent);
  expect(presses).toBe(1);
});
