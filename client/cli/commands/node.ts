import { readFile } from "node:fs/promises";
import { availableParallelism, hostname, totalmem } from "node:os";
import { KindlingError } from "../../../shared/errors.ts";
import { startHeadless } from "../../headless/headless.ts";
import { restartLean } from "../../headless/lean.ts";
import { parseBytes } from "../bytes.ts";
import { onInterrupt } from "../interrupts.ts";
import { splitLink } from "../link.ts";
import { wholeNumber } from "../numbers.ts";

export interface NodeCommandOptions {
  readonly join: string;
  readonly token?: string;
  readonly tokenFile?: string;
  readonly name?: string;
  readonly slots?: string;
  readonly memory?: string;
  readonly executionLog?: string;
  readonly relayOnly?: boolean;
}

/** `kindling node`: joins a coordinator and computes until SIGINT or SIGTERM, or until it is turned away. */
export async function node(options: NodeCommandOptions): Promise<void> {
  const memoryBytes = options.memory === undefined ? Math.floor(totalmem() / 2) : parseBytes(options.memory, "memory");
  restartLean(memoryBytes);
  const { url, token: fromLink } = splitLink(options.join);
  const token = options.token ?? (await tokenIn(options.tokenFile)) ?? fromLink ?? process.env["KINDLING_TOKEN"];
  if (!token) {
    throw new KindlingError(
      "BadUsage",
      "No join token: give the whole join link, --token, --token-file, or set KINDLING_TOKEN",
    );
  }
  const slots = options.slots === undefined ? availableParallelism() : wholeNumber(options.slots, "slots", 1, 1024);
  const headless = await startHeadless({
    url: url.origin,
    token,
    name: options.name ?? hostname(),
    slots,
    memoryBytes,
    relayOnly: options.relayOnly ?? false,
    log: (line) => process.stderr.write(`${line}\n`),
    ...(options.executionLog === undefined ? {} : { executionLog: options.executionLog }),
  });
  let isWanted = false;
  onInterrupt(() => {
    isWanted = true;
    void headless.stop();
  });
  const { detail } = await headless.ended;
  if (!isWanted) throw new KindlingError("NodeEnded", `The node has ended${detail === "" ? "" : `: ${detail}`}`);
}

async function tokenIn(file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return undefined;
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new KindlingError("BadUsage", `--token-file ${file} cannot be read`, { cause });
  });
  return text.trim();
}
