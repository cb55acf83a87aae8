import type { KeyValue } from "../ui/storage.ts";
import type { Settings, Wish } from "./model.ts";

const NAME = "kindling.join.name";
const SLOTS = "kindling.join.slots";
const RELAY_ONLY = "kindling.join.relay-only";
const WISH = "kindling.join.wish";
const RELOADED = "kindling.join.reloaded";

/** A page that is outdated again so soon after its reload would only go round in circles. ms. */
const RELOAD_PAUSE_MS = 10 * 60_000;

/** What the join page remembers: settings on this device, the user's wish for this tab's session. */
export interface JoinMemory {
  settings(): Settings;
  keepSettings(settings: Settings): void;
  wish(): Wish;
  keepWish(wish: Wish): void;
  /** Whether the page may reload itself at `now` (ms since 1970); if so, this counts as done. */
  claimReload(now: number): boolean;
}

/** `defaults` stand in for what was never chosen; slots are held to 1 … threads. */
export function joinMemory(device: KeyValue, session: KeyValue, defaults: Settings, threads: number): JoinMemory {
  return {
    settings() {
      const relayOnly = device.getItem(RELAY_ONLY);
      const slots = Number(device.getItem(SLOTS) ?? Number.NaN);
      return {
        name: device.getItem(NAME)?.trim() || defaults.name,
        slots: Number.isInteger(slots) && slots >= 1 ? Math.min(slots, threads) : defaults.slots,
        relayOnly: relayOnly === null ? defaults.relayOnly : relayOnly === "yes",
      };
    },
    keepSettings({ name, slots, relayOnly }) {
      device.setItem(NAME, name);
      device.setItem(SLOTS, String(slots));
      device.setItem(RELAY_ONLY, relayOnly ? "yes" : "no");
    },
    wish() {
      const kept = session.getItem(WISH);
      return kept === "on" || kept === "paused" ? kept : "off";
    },
    keepWish: (wish) => session.setItem(WISH, wish),
    claimReload(now) {
      const last = session.getItem(RELOADED);
      if (last !== null && Math.abs(now - Number(last)) < RELOAD_PAUSE_MS) return false;
      session.setItem(RELOADED, String(now));
      return true;
    },
  };
}
