import { expect, test } from "vitest";
import { safeStorage } from "./storage.ts";
import { parsePastedToken, tokenKeeper } from "./token.ts";

const TOKEN = "Zm9vYmFyYmF6cXV4LV8wMTIzNDU2Nzg5";
const ORIGIN = "http://192.168.1.7:8080";

function place(hash: string, kept: Record<string, string> = {}) {
  const shown: string[] = [];
  const storage = {
    getItem: (key: string) => kept[key] ?? null,
    setItem: (key: string, value: string) => void (kept[key] = value),
    removeItem: (key: string) => void delete kept[key],
  };
  const history = { state: null, replaceState: (_state: unknown, _title: string, url: string) => void shown.push(url) };
  const location = { hash, pathname: "/join", search: "?x=1", origin: ORIGIN };
  return { keeper: tokenKeeper("join", { location, history: history as unknown as History, storage }), kept, shown };
}

test("the fragment's token is taken, kept for the tab, and gone from the address", () => {
  const { keeper, kept, shown } = place(`#token=${TOKEN}`);
  expect(keeper.take()).toBe(TOKEN);
  expect(kept).toEqual({ join: TOKEN });
  expect(shown).toEqual(["/join?x=1"]);
});

test("after a reload the kept token serves, and the address is left alone", () => {
  const { keeper, shown } = place("", { join: TOKEN });
  expect(keeper.take()).toBe(TOKEN);
  expect(shown).toEqual([]);
});

test("a new link wins over the kept token", () => {
  const { keeper, kept } = place(`#token=${TOKEN}`, { join: "old-old-old-old-old-old-old" });
  expect(keeper.take()).toBe(TOKEN);
  expect(kept["join"]).toBe(TOKEN);
});

test("what is no token is removed from the address all the same", () => {
  const { keeper, kept, shown } = place("#token=<script>");
  expect(keeper.take()).toBeNull();
  expect(kept).toEqual({});
  expect(shown).toEqual(["/join?x=1"]);
});

test("a forgotten token does not come back", () => {
  const { keeper } = place("", { join: TOKEN });
  keeper.forget();
  expect(keeper.take()).toBeNull();
});

test.each([TOKEN, `  ${TOKEN}\n`, `${ORIGIN}/join#token=${TOKEN}`, `#token=${TOKEN}`, `token=${TOKEN}`])(
  "%j is understood when pasted",
  (text) => expect(parsePastedToken(text, ORIGIN)).toEqual({ ok: true, token: TOKEN }),
);

test("another coordinator's link is not tried here", () => {
  const pasted = parsePastedToken(`https://elsewhere.example/join#token=${TOKEN}`, ORIGIN);
  expect(pasted).toEqual({ ok: false, problem: expect.stringContaining("https://elsewhere.example") as string });
});

test.each(["", "   ", "hello", `${ORIGIN}/join`, "#token=short"])("%j is refused with a reason", (text) => {
  const pasted = parsePastedToken(text, ORIGIN);
  expect(pasted.ok ? "" : pasted.problem).toMatch(/token/);
});

test("a storage that the browser forbids still serves until the reload", () => {
  const storage = safeStorage(() => {
    throw new Error("SecurityError");
  });
  storage.setItem("a", "1");
  expect(storage.getItem("a")).toBe("1");
  storage.removeItem("a");
  expect(storage.getItem("a")).toBeNull();
});
