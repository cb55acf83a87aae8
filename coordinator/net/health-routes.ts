import { sendJson } from "./respond.ts";
import type { Method, Route } from "./route.ts";
import type { HealthService } from "./services.ts";

/** For supervisors: whether the process answers, and whether it can take work. */
export function healthRoutes(health: HealthService): Route[] {
  return (["GET", "HEAD"] satisfies Method[]).flatMap((method): Route[] => [
    {
      method,
      pattern: "/healthz",
      roles: "public",
      handle: ({ response }) => sendJson(response, 200, { ok: true }),
    },
    {
      method,
      pattern: "/readyz",
      roles: "public",
      handle({ response }) {
        const ready = health.ready();
        sendJson(response, ready.ok ? 200 : 503, ready);
      },
    },
  ]);
}
