import { systemClock } from "../../shared/clock.ts";
import { createApiClient } from "../api/client.ts";
import { render } from "../ui/render.ts";
import { safeStorage } from "../ui/storage.ts";
import { tokenKeeper } from "../ui/token.ts";
import { createDashboard } from "./controller.ts";
import { pageTitle } from "./describe.ts";
import { copyText, saveFile } from "./files.ts";
import { dashboardView } from "./view.ts";

/** Composition root of the dashboard: the browser's own things meet the controller here. */

const root = document.querySelector("#app") ?? document.body;

const dashboard = createDashboard({
  clock: systemClock,
  origin: location.origin,
  tokens: tokenKeeper("kindling.dashboard.token", { location, history, storage: safeStorage(() => sessionStorage) }),
  api: (token) => createApiClient({ url: location.origin, token }),
  save: saveFile,
  copy: copyText,
  changed(model) {
    document.title = pageTitle(model);
    render(root, dashboardView(model, dashboard.actions, location.origin));
  },
});

addEventListener("hashchange", dashboard.retake);
document.addEventListener("visibilitychange", () => dashboard.visible(document.visibilityState === "visible"));
dashboard.open();
