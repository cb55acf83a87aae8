import { KindlingError } from "../../shared/errors.ts";
import { type JobId, jobId } from "../../shared/ids.ts";
import type { JobView, Overview } from "../../shared/protocol/api.ts";
import { submitRequest } from "../../shared/protocol/submit-request.ts";
import { readJson } from "./body.ts";
import { sendBytes, sendJson } from "./respond.ts";
import type { Exchange, Route } from "./route.ts";
import type { JobService } from "./services.ts";

/** What the dashboard and the command line ask of jobs. */
export function jobRoutes(jobs: JobService): Route[] {
  const operator = ["operator"] as const;
  return [
    {
      method: "GET",
      pattern: "/api/overview",
      roles: ["operator", "volunteer"],
      handle({ response, role }) {
        const overview = jobs.overview();
        sendJson(response, 200, role === "operator" ? overview : volunteerView(overview));
      },
    },
    {
      method: "GET",
      pattern: "/api/workloads",
      roles: operator,
      handle: ({ response }) => sendJson(response, 200, { workloads: jobs.workloads() }),
    },
    {
      method: "GET",
      pattern: "/api/jobs",
      roles: operator,
      handle: ({ response }) => sendJson(response, 200, { jobs: jobs.overview().jobs }),
    },
    {
      method: "POST",
      pattern: "/api/jobs",
      roles: operator,
      async handle({ request, response }) {
        const parsed = submitRequest.safeParse(await readJson(request));
        if (!parsed.success) {
          const [issue] = parsed.error.issues;
          throw new KindlingError("BadRequest", `${issue?.path.join(".") || "body"}: ${issue?.message}`);
        }
        sendJson(response, 201, { id: await jobs.submit(parsed.data) });
      },
    },
    {
      method: "GET",
      pattern: "/api/jobs/:id",
      roles: operator,
      handle: (exchange) => sendJson(exchange.response, 200, existing(jobs, exchange)),
    },
    {
      method: "POST",
      pattern: "/api/jobs/:id/cancel",
      roles: operator,
      async handle(exchange) {
        const { id } = existing(jobs, exchange);
        await jobs.cancel(id);
        sendJson(exchange.response, 200, { id });
      },
    },
    {
      method: "POST",
      pattern: "/api/jobs/:id/rerun",
      roles: ["operator", "volunteer"],
      async handle(exchange) {
        const { id } = existing(jobs, exchange);
        // Who only lends a machine may show friends how it runs, but not queue work on others' machines.
        if (exchange.role === "volunteer" && jobs.overview().jobs.some(({ state }) => state === "running")) {
          throw new KindlingError("Conflict", "A job is running: it can be run again when that has ended");
        }
        sendJson(exchange.response, 201, { id: await jobs.rerun(id) });
      },
    },
    {
      method: "GET",
      pattern: "/api/jobs/:id/logs",
      roles: operator,
      handle(exchange) {
        const { id } = existing(jobs, exchange);
        const after = wholeNumber("after", exchange.query.get("after") ?? "0");
        sendJson(exchange.response, 200, { lines: jobs.logs(id, after) });
      },
    },
    {
      method: "GET",
      pattern: "/api/jobs/:id/tasks/:ordinal/:partition/story",
      roles: operator,
      handle(exchange) {
        const { id } = existing(jobs, exchange);
        const [ordinal, partition] = (["ordinal", "partition"] as const).map((name) =>
          wholeNumber(name, exchange.params[name] ?? ""),
        ) as [number, number];
        const lines = jobs.story(id, ordinal, partition);
        if (lines === undefined) {
          throw new KindlingError("NotFound", `Job ${id} has no task with ordinal ${ordinal}, partition ${partition}`);
        }
        sendJson(exchange.response, 200, { lines });
      },
    },
    {
      method: "GET",
      pattern: "/api/jobs/:id/artifacts/:name",
      roles: operator,
      async handle(exchange) {
        const { id } = existing(jobs, exchange);
        const { name = "" } = exchange.params;
        const artifact = jobs.artifact(id, name);
        if (artifact === undefined) throw new KindlingError("NotFound", `Job ${id} has no artifact of that name`);
        exchange.response.setHeaders(
          new Headers({
            "Content-Type": "application/octet-stream",
            "Content-Length": `${artifact.bytes}`,
            "Content-Disposition": attachment(name),
            "Cache-Control": "no-store",
          }),
        );
        await sendBytes(exchange.response, artifact.content, exchange.signal);
      },
    },
  ];
}

function existing(jobs: JobService, { params }: Exchange): { readonly id: JobId } & JobView {
  const id = jobId(params["id"] ?? "");
  const job = jobs.get(id);
  if (job === undefined) throw new KindlingError("NotFound", `There is no job ${id}`);
  return { ...job, id };
}

function wholeNumber(name: string, text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new KindlingError("BadRequest", `${name} must be a whole number`);
  return Number(text);
}

/** The overview for those who lend a machine: what runs, not what it is about. */
function volunteerView({ joinLink: _, ...overview }: Overview): Overview {
  const jobs = overview.jobs.map((job) => ({ ...job, params: {}, metrics: {}, artifacts: [], error: null }));
  return { ...overview, jobs };
}

/** A download's name for old and new browsers (RFC 6266), without what could end the header or name a path. */
export function attachment(name: string): string {
  const visible = name.replace(/^\.+/, "_");
  const safe = visible.replaceAll(/[^\w.-]/g, "_");
  const encoded = encodeURIComponent(visible.replaceAll(/[/\\]/g, "_")).replaceAll(/['()*]/g, (mark) => {
    return `%${mark.charCodeAt(0).toString(16).toUpperCase()}`;
  });
  return `attachment; filename="${safe}"; filename*=UTF-8''${encoded}`;
}
