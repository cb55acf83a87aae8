import type { Clock } from "../../../shared/clock.ts";
import { KindlingError } from "../../../shared/errors.ts";

/** Tries in all; the waits between them double from FIRST_WAIT. */
const TRIES = 5;
/** ms. */
const FIRST_WAIT = 1000;
/** ms; a service that asks to wait longer is asked no more. */
const LONGEST_WAIT = 120_000;
/** ms; decades of days take some seconds to make. */
const TIME_OUT = 120_000;
/** Bytes of an answer: some 300 for a day. */
const LARGEST = 2 ** 26;

export interface RequestOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** For messages. */
  readonly service: string;
  /** What an error's body says. */
  readonly reason: (answer: unknown) => string | undefined;
  /** Is told of each wait. */
  readonly onWait: (message: string) => void;
}

interface Failure {
  readonly problem: string;
  /** Whether another try may go better. */
  readonly passes: boolean;
  /** ms that the service asked to wait. */
  readonly wait?: number | undefined;
}

/**
 * Gets JSON. What may pass (no connection, too many requests, a server's fault) is tried again, after the time that the
 * service asks for or else 1, 2, 4 and 8 s. Rejects with `SourceUnavailable` or, when asked wrongly, `BadUsage`.
 */
export async function requestJson(url: string, options: RequestOptions): Promise<unknown> {
  for (let attempt = 1; ; attempt++) {
    const outcome = await attemptOnce(url, options);
    if ("answer" in outcome) return outcome.answer;
    const { problem, passes, wait = FIRST_WAIT * 2 ** (attempt - 1) } = outcome;
    if (!passes) throw new KindlingError("BadUsage", `${options.service} refuses the request: ${problem}`);
    if (attempt === TRIES || wait > LONGEST_WAIT) {
      const later = wait > LONGEST_WAIT ? `; it asks to wait ${Math.ceil(wait / 60_000)} minutes` : "";
      throw new KindlingError("SourceUnavailable", `${options.service} cannot be reached: ${problem}${later}`, {
        retryable: true,
      });
    }
    options.onWait(`${options.service}: ${problem}; trying again in ${wait / 1000} s`);
    await pause(wait, options);
  }
}

async function attemptOnce(url: string, options: RequestOptions): Promise<Failure | { readonly answer: unknown }> {
  let response: Response;
  let text: string;
  try {
    const signal = AbortSignal.any([options.signal, AbortSignal.timeout(TIME_OUT)]);
    response = await fetch(url, { signal, headers: { accept: "application/json" } });
    text = await readText(response, options.service);
  } catch (error) {
    if (options.signal.aborted || error instanceof KindlingError) throw error;
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return { problem: cause instanceof Error ? cause.message : String(cause), passes: true };
  }
  const answer = parseJson(text);
  if (response.ok) return answer === undefined ? { problem: "the answer is no JSON", passes: true } : { answer };
  const problem = `${response.status}${prefixed(" ", options.reason(answer) ?? response.statusText)}`;
  const passes = response.status === 429 || response.status === 408 || response.status >= 500;
  return { problem, passes, wait: retryAfter(response.headers) };
}

async function readText(response: Response, service: string): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response.body ?? []) {
    size += part.byteLength;
    if (size > LARGEST) throw new KindlingError("BadAnswer", `${service} answered with more than ${LARGEST} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

/** The header's seconds, or its date against that of the answer, in ms. */
function retryAfter(headers: Headers): number | undefined {
  const text = headers.get("retry-after");
  if (text === null) return undefined;
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  const wait = Date.parse(text) - Date.parse(headers.get("date") ?? "");
  return Number.isFinite(wait) ? Math.max(0, wait) : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const prefixed = (prefix: string, text: string): string => (text === "" ? "" : `${prefix}${text}`);

const pause = (ms: number, { clock, signal }: RequestOptions): Promise<void> =>
  new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    const interrupted = (): void => {
      cancel();
      reject(signal.reason);
    };
    const cancel = clock.after(ms, () => {
      signal.removeEventListener("abort", interrupted);
      resolve();
    });
    signal.addEventListener("abort", interrupted, { once: true });
  });
