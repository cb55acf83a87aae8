import { expect, test } from "vitest";
import { ManualClock } from "../../shared/testing/manual-clock.ts";
import { createAuthority } from "./auth.ts";

const TOKENS = { operator: "o".repeat(43), join: "j".repeat(43) };

function setUp() {
  const clock = new ManualClock();
  const authority = createAuthority(TOKENS, (secret) => secret === "node-secret", clock);
  const codeOf = (token: string, address = "a"): string => {
    try {
      return authority.roleOf(`Bearer ${token}`, address);
    } catch (error) {
      return (error as { code: string }).code;
    }
  };
  return { clock, authority, codeOf };
}

test("each token has its role", () => {
  const { codeOf } = setUp();
  expect([TOKENS.operator, TOKENS.join, "node-secret", "x"].map((token) => codeOf(token))).toEqual([
    "operator",
    "volunteer",
    "node",
    "Unauthorized",
  ]);
});

test("a header that is no bearer token is unauthorized and no try", () => {
  const { authority, codeOf } = setUp();
  for (const header of [undefined, "", "Basic abc", "Bearer", "Bearer a b", `Bearer ${"x".repeat(257)}`, "Bearer ü"]) {
    expect(() => authority.roleOf(header, "a"), header).toThrow(expect.objectContaining({ code: "Unauthorized" }));
  }
  for (let tries = 0; tries < 10; tries++) expect(codeOf("wrong")).toBe("Unauthorized");
  expect(codeOf("wrong")).toBe("TooManyTries");
});

test("tries are counted by address and forgotten after a minute", () => {
  const { clock, codeOf } = setUp();
  for (let tries = 0; tries < 10; tries++) {
    codeOf("wrong");
    clock.advance(1_000);
  }
  expect(codeOf("wrong")).toBe("TooManyTries");
  expect(codeOf("wrong", "b")).toBe("Unauthorized");
  expect(codeOf(TOKENS.operator)).toBe("operator");
  clock.advance(50_000);
  // The first of the ten is a minute old: there is one try more, and no second.
  expect(codeOf("wrong")).toBe("Unauthorized");
  expect(codeOf("wrong")).toBe("TooManyTries");
});

test("hellos are counted apart from requests, and right ones not at all", () => {
  const { clock, authority, codeOf } = setUp();
  for (let tries = 0; tries < 20; tries++) expect(authority.mayJoin(TOKENS.join, "a")).toBe(true);
  expect(authority.mayJoin("node-secret", "a")).toBe(false);
  for (let tries = 0; tries < 9; tries++) expect(authority.mayJoin("wrong", "a")).toBe(false);
  expect(authority.isBlocked("a")).toBe(true);
  expect(authority.isBlocked("b")).toBe(false);
  expect(codeOf("wrong")).toBe("Unauthorized");
  clock.advance(60_001);
  expect(authority.isBlocked("a")).toBe(false);
});

test("ten thousand addresses are remembered, not more", () => {
  const { authority } = setUp();
  for (let tries = 0; tries < 10; tries++) authority.mayJoin("wrong", "first");
  for (let address = 0; address < 10_000; address++) authority.mayJoin("wrong", `${address}`);
  expect(authority.isBlocked("first")).toBe(false);
});
