import type { ShuffleMode } from "../../shared/protocol/shuffle.ts";

export type Route = "peer" | "relay";

/** Below this many bytes a chunk is not worth a connection of its own. */
export const SMALL_BYTES = 64 * 1024;
/** Transfers that are measured on each way before one is preferred. */
const SAMPLES = 2;
/** Every so many choices the slower way is tried, as networks change. */
const TRY_OTHER_EVERY = 32;
/** Weight of the newest measurement. */
const NEWEST = 0.3;

interface Measured {
  chosen: number;
  samples: number;
  /** Bytes per ms. */
  rate: number;
}

/** Decides for each chunk that both ways could bring which one it goes, by what they were measured to do. */
export class ShuffleRoute {
  readonly #ways: Record<Route, Measured> = {
    peer: { chosen: 0, samples: 0, rate: 0 },
    relay: { chosen: 0, samples: 0, rate: 0 },
  };

  choose(mode: ShuffleMode, bytes: number): Route {
    if (mode !== "auto") return mode;
    if (bytes < SMALL_BYTES) return "relay";
    const route = this.#best();
    this.#ways[route].chosen++;
    return route;
  }

  /** A transfer that began on this way took so long, whatever way it ended on. */
  measured(route: Route, bytes: number, ms: number): void {
    if (bytes < SMALL_BYTES || ms <= 0) return;
    const way = this.#ways[route];
    way.rate = way.samples === 0 ? bytes / ms : way.rate + NEWEST * (bytes / ms - way.rate);
    way.samples++;
  }

  #best(): Route {
    const { peer, relay } = this.#ways;
    // Many transfers begin before the first has ended: both ways get their share until each is known.
    if (peer.samples < SAMPLES || relay.samples < SAMPLES) return peer.chosen <= relay.chosen ? "peer" : "relay";
    const [better, other]: [Route, Route] = peer.rate >= relay.rate ? ["peer", "relay"] : ["relay", "peer"];
    return (peer.chosen + relay.chosen) % TRY_OTHER_EVERY === TRY_OTHER_EVERY - 1 ? other : better;
  }
}
