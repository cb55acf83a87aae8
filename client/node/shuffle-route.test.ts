import { expect, test } from "vitest";
import { type Route, ShuffleRoute, SMALL_BYTES } from "./shuffle-route.ts";

const BIG = 1_000_000;
/** Chooses and measures, as transfers one after the other do. */
function transfers(route: ShuffleRoute, count: number, ms: Record<Route, number>): Route[] {
  return Array.from({ length: count }, () => {
    const way = route.choose("auto", BIG);
    route.measured(way, BIG, ms[way]);
    return way;
  });
}

test("peer and relay are what was asked for, whatever the size", () => {
  const route = new ShuffleRoute();
  expect([route.choose("peer", 1), route.choose("relay", BIG)]).toEqual(["peer", "relay"]);
});

test("small chunks are relayed", () => {
  const route = new ShuffleRoute();
  expect([route.choose("auto", SMALL_BYTES - 1), route.choose("auto", SMALL_BYTES)]).toEqual(["relay", "peer"]);
});

test("both ways are tried before one is known, also by transfers at one time", () => {
  const route = new ShuffleRoute();
  expect(Array.from({ length: 6 }, () => route.choose("auto", BIG))).toEqual([
    "peer",
    "relay",
    "peer",
    "relay",
    "peer",
    "relay",
  ]);
});

test.each<[Route, Record<Route, number>]>([
  ["peer", { peer: 10, relay: 30 }],
  ["relay", { peer: 30, relay: 10 }],
])("the %s is taken where it is faster, and the other looked at now and then", (faster, ms) => {
  const ways = transfers(new ShuffleRoute(), 100, ms);
  expect(ways.slice(4).filter((way) => way !== faster)).toHaveLength(3);
});

test("when the network changes, so does the way", () => {
  const route = new ShuffleRoute();
  transfers(route, 40, { peer: 10, relay: 30 });
  const after = transfers(route, 200, { peer: 100, relay: 30 });
  expect(after.slice(10).filter((way) => way === "relay").length).toBeGreaterThan(170);
});

test("what is too small to measure or took no time says nothing", () => {
  const route = new ShuffleRoute();
  for (let count = 0; count < 5; count++) {
    route.measured("relay", SMALL_BYTES - 1, 0.001);
    route.measured("relay", BIG, 0);
  }
  expect(transfers(route, 20, { peer: 10, relay: 30 }).slice(4)).toEqual(Array(16).fill("peer"));
});
