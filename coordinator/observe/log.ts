import type { LogLine } from "../../shared/protocol/api.ts";

/** Where the coordinator says what it does. Lines with a job also go to that job's log. */
export interface Log {
  debug(message: string, job?: string): void;
  info(message: string, job?: string): void;
  warn(message: string, job?: string): void;
  error(message: string, job?: string): void;
}

type Level = LogLine["level"] | "debug";
const LEVELS: readonly Level[] = ["debug", "info", "warn", "error"];

/** Lines that one job's log keeps; older ones go. */
const KEPT_LINES = 2000;
/** Characters of one line; a longer one is cut. */
const LINE_LENGTH = 4000;

/** A log that keeps each job's lines for readers, and writes lines from `minimum` up. */
export class JobLog implements Log {
  readonly #write: (line: string) => void;
  readonly #minimum: number;
  readonly #jobs = new Map<string, { next: number; lines: LogLine[] }>();

  constructor(write: (line: string) => void, minimum: Level) {
    this.#write = write;
    this.#minimum = LEVELS.indexOf(minimum);
  }

  debug(message: string, job?: string): void {
    this.#add("debug", message, job);
  }
  info(message: string, job?: string): void {
    this.#add("info", message, job);
  }
  warn(message: string, job?: string): void {
    this.#add("warn", message, job);
  }
  error(message: string, job?: string): void {
    this.#add("error", message, job);
  }

  /** Lines after that sequence number, oldest first. */
  lines(job: string, after: number): readonly LogLine[] {
    return this.#jobs.get(job)?.lines.filter(({ sequence }) => sequence > after) ?? [];
  }

  forget(job: string): void {
    this.#jobs.delete(job);
  }

  #add(level: Level, message: string, job: string | undefined): void {
    const text = oneLine(message);
    if (LEVELS.indexOf(level) >= this.#minimum)
      this.#write(`${level.padEnd(5)} ${job === undefined ? "" : `${job}: `}${text}`);
    if (job === undefined || level === "debug") return;
    const log = this.#jobs.get(job) ?? { next: 1, lines: [] };
    this.#jobs.set(job, log);
    log.lines.push({ sequence: log.next++, at: Date.now(), level, message: text });
    if (log.lines.length > KEPT_LINES) log.lines.shift();
  }
}

/** One line is one line and moves no terminal's cursor, whatever a file name, a node's name or an error carries. */
function oneLine(message: string): string {
  const cut = message.length > LINE_LENGTH ? `${message.slice(0, LINE_LENGTH)}…` : message;
  return cut.replaceAll(/[\r\n\u2028\u2029]+/g, " ⏎ ").replaceAll(/\p{Cc}/gu, " ");
}
