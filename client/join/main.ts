import { systemClock } from "../../shared/clock.ts";
import type { Rng } from "../../shared/rng.ts";
import { createApiClient } from "../api/client.ts";
import { createTabNode } from "../node/tab.ts";
import { render } from "../ui/render.ts";
import { safeStorage } from "../ui/storage.ts";
import { tokenKeeper } from "../ui/token.ts";
import { createJoin } from "./controller.ts";
import { defaultName, defaultSlots } from "./default-name.ts";
import { pageTitle } from "./describe.ts";
import { joinMemory } from "./memory.ts";
import { joinView } from "./view.ts";
import { createWakeLock } from "./wake-lock.ts";

/** Composition root of the join page: the browser's own things meet the controller here. */

const session = safeStorage(() => sessionStorage);
const lasting = safeStorage(() => localStorage);
const root = document.querySelector("#app") ?? document.body;
const wakeLock = createWakeLock(navigator, document);

const threads = Math.max(1, navigator.hardwareConcurrency || 1);
const rng: Pick<Rng, "below"> = { below: (bound) => (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) % bound };
const defaults = { name: defaultName(rng), slots: defaultSlots(threads), relayOnly: false };

const GIB = 2 ** 30;
/** GiB of memory where the browser tells it; 2 is what a small phone has. */
const deviceMemory = (navigator as { deviceMemory?: number }).deviceMemory ?? 2;

const join = createJoin({
  clock: systemClock,
  today: () => Date.now(),
  origin: location.origin,
  device: { threads, secure: isSecureContext },
  memoryBytes: (deviceMemory / 2) * GIB,
  tokens: tokenKeeper("kindling.join.token", { location, history, storage: session }),
  memory: joinMemory(lasting, session, defaults, threads),
  node: createTabNode,
  api: (token) => createApiClient({ url: location.origin, token }),
  reload: () => location.reload(),
  changed(model) {
    document.title = pageTitle(model);
    wakeLock.want(model.wish === "on" && model.node?.phase === "working");
    render(root, joinView(model, join.actions));
  },
});

addEventListener("hashchange", join.retake);
document.addEventListener("visibilitychange", () => join.visible(document.visibilityState === "visible"));
join.open();
