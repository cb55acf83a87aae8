import * as z from "zod";
import { KindlingError } from "../../../../shared/errors.ts";
import type { RemoteCluster, RemoteRun, RemoteState } from "./remote.ts";

/** Lines of a batch's log that one request asks for: all of it. Livy keeps some hundred of each stream. */
const LOG_LINES = 100_000;
/** Lines that Livy itself puts before each part of a log. */
const HEADING = /^\s*((stdout|stderr|YARN Diagnostics):)?\s*$/;
/** ms that Livy may take to answer. */
const ANSWER_MS = 30_000;

const batch = z.object({ id: z.number().int(), state: z.string(), appId: z.string().nullish() });
const logPart = z.object({ log: z.array(z.string()) });

/** Livy's states of a batch; what it does not document is taken as under way. */
const STATES: Readonly<Record<string, RemoteState["state"]>> = {
  not_started: "waiting",
  starting: "waiting",
  recovering: "waiting",
  success: "succeeded",
  error: "failed",
  dead: "failed",
  killed: "cancelled",
};

/** A cluster behind Apache Livy's REST API (0.5 and later). Throws `BadUsage` for what is no address of it. */
export function livy(address: string): RemoteCluster {
  const url = URL.parse(address);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new KindlingError(
      "BadUsage",
      `--submit livy:URL takes a URL such as http://HOST:8998, not ${JSON.stringify(address)}`,
    );
  }
  if (url.username !== "" || url.password !== "") {
    throw new KindlingError(
      "BadUsage",
      "--submit livy:URL takes no password: other users see command lines. Use a tunnel to Livy",
    );
  }
  const base = url.href.replace(/\/+$/, "");

  async function ask<T>(method: string, path: string, shape: z.ZodType<T>, body?: object): Promise<T> {
    const headers = { "content-type": "application/json", "x-requested-by": "kindling" };
    const sent = {
      method,
      headers,
      signal: AbortSignal.timeout(ANSWER_MS),
      ...(body && { body: JSON.stringify(body) }),
    };
    const answer = await fetch(`${base}${path}`, sent).catch((cause: unknown) => {
      throw new KindlingError("LivyUnreachable", `Livy at ${base} cannot be reached: ${reasonOf(cause)}`, { cause });
    });
    const text = await answer.text();
    if (!answer.ok) {
      throw new KindlingError(
        "LivyRefused",
        `Livy at ${base} answers ${answer.status} to ${method} ${path}: ${text.slice(0, 500)}`,
      );
    }
    try {
      return shape.parse(JSON.parse(text));
    } catch (cause) {
      throw new KindlingError("LivyRefused", `Livy at ${base} answers ${method} ${path} with something else`, {
        cause,
      });
    }
  }

  return {
    print: (request) => `POST ${base}/batches\n${JSON.stringify(bodyOf(request), null, 2)}`,
    async submit(request): Promise<RemoteRun> {
      const { id } = await ask("POST", "/batches", batch, bodyOf(request));
      let before: readonly string[] = [];
      let isDeleted = false;
      return {
        where: `${base}/ui/batch/${id}/log`,
        async look() {
          // Livy answers when it has ended the batch, and does not know it from then on.
          if (isDeleted) return { state: "cancelled", reason: "", lines: [] };
          const { state } = await ask("GET", `/batches/${id}`, batch);
          const { log } = await ask("GET", `/batches/${id}/log?from=0&size=${LOG_LINES}`, logPart);
          const lines = without(log, before);
          before = log;
          const known = STATES[state] ?? "running";
          return {
            state: known,
            reason: known === "failed" ? `Livy says ${state}; ${lastOf(log)}` : "",
            lines,
          };
        },
        async cancel() {
          await ask("DELETE", `/batches/${id}`, z.unknown()).catch((error: unknown) => {
            // It has gone already.
            if (!(error instanceof KindlingError) || !error.message.includes("answers 404")) throw error;
          });
          isDeleted = true;
        },
      };
    },
  };
}

/**
 * The lines that are not among those of before, each as often as it is there more often. A log is what Livy still has of standard
 * output, then of standard error, then YARN's words: it grows in the middle, and its oldest lines go.
 */
function without(lines: readonly string[], before: readonly string[]): string[] {
  const left = new Map<string, number>();
  for (const line of before) left.set(line, (left.get(line) ?? 0) + 1);
  return lines.filter((line) => {
    const known = left.get(line) ?? 0;
    left.set(line, known - 1);
    return known <= 0;
  });
}

const lastOf = (log: readonly string[]): string => log.findLast((line) => !HEADING.test(line))?.trim() ?? "no log";

const bodyOf = ({ name, main, pyFiles, files, conf, args }: Parameters<RemoteCluster["print"]>[0]) => ({
  ...{ file: main, name, args, pyFiles, files, conf },
});

const reasonOf = (error: unknown): string =>
  error instanceof Error ? (error.cause instanceof Error ? error.cause.message : error.message) : String(error);
