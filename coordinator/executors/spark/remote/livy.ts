import * as z from "zod";
import { KindlingError } from "../../../../shared/errors.ts";
import type { RemoteCluster, RemoteRun, RemoteState } from "./remote.ts";

/** Lines of a batch's log that one request asks for. */
const LOG_LINES = 1_000;
/** ms that Livy may take to answer. */
const ANSWER_MS = 30_000;

const batch = z.object({ id: z.number().int(), state: z.string(), appId: z.string().nullish() });
const logPart = z.object({ from: z.number().int(), total: z.number().int(), log: z.array(z.string()) });

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
      let seen = 0;
      return {
        where: `${base}/ui/batch/${id}/log`,
        async look() {
          const { state } = await ask("GET", `/batches/${id}`, batch);
          const { from, total, log } = await ask("GET", `/batches/${id}/log?from=${seen}&size=${LOG_LINES}`, logPart);
          const lines = log.slice(Math.max(0, seen - from));
          seen = Math.min(total, from + log.length);
          const known = STATES[state] ?? "running";
          return {
            state: known,
            reason: known === "failed" ? `Livy says ${state}; ${lines.at(-1) ?? "no log"}` : "",
            lines,
          };
        },
        async cancel() {
          await ask("DELETE", `/batches/${id}`, z.unknown()).catch((error: unknown) => {
            // It has gone already.
            if (!(error instanceof KindlingError) || !error.message.includes("answers 404")) throw error;
          });
        },
      };
    },
  };
}

const bodyOf = ({ name, main, pyFiles, files, conf, args }: Parameters<RemoteCluster["print"]>[0]) => ({
  ...{ file: main, name, args, pyFiles, files, conf },
});

const reasonOf = (error: unknown): string =>
  error instanceof Error ? (error.cause instanceof Error ? error.cause.message : error.message) : String(error);
