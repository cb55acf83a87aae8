import { readFileSync } from "node:fs";
import { Command, CommanderError, Option } from "commander";
import { toWireError } from "../../shared/errors.ts";
import { addEcr } from "./commands/ecr.ts";
import { addEmr } from "./commands/emr.ts";
import { lazy } from "./lazy.ts";
import { DEFAULT_DATA_DIR, DEFAULT_URL } from "./link.ts";

const WRONG_USAGE = 2;
const FAILED = 1;
/** Errors that are the command line's and not the job's. */
const USAGE_CODES = new Set(["BadUsage", "BadParams"]);

const HINT = "(kindling --help lists the commands)";

/** What went wrong, on one line. */
const problem = (...parts: readonly string[]): string =>
  `kindling: ${parts.join(" ").replaceAll(/[\s\p{Cc}]*[\r\n\p{Cc}][\s\p{Cc}]*/gu, " ")}\n`;

const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
  version: string;
};

const program = new Command("kindling")
  .description("A cluster made of browser tabs: run workloads here, on tabs, and on headless nodes")
  .version(version)
  .enablePositionalOptions()
  .configureOutput({ outputError: (text, write) => write(problem(text.replace(/^error: /, "").trimEnd(), HINT)) });

program
  .command("start")
  .description("start a coordinator, and serve the join page and the dashboard")
  .option("--port <port>", "port to listen on; 0 takes a free one", "8080")
  .option("--host <address>", "address to listen on", "127.0.0.1")
  .option("--data-dir <dir>", "where journal, results and tokens are kept", DEFAULT_DATA_DIR)
  .option("--data-root <dir>", "folder under which jobs may name input files")
  .option("--allow-urls [hosts]", "let jobs read http(s) URLs: of any public host, or of these (host,host:port,…)")
  .option(
    "--allow-s3 [buckets]",
    "let jobs read s3:// with this machine's AWS credentials: any bucket, or these (name,name,…)",
  )
  .option("--join-token-file <file>", "write the join token here, for nodes that read it with --token-file")
  .option("--public-url <url>", "how others reach this coordinator, where that differs")
  .option("--tls-cert <file>", "certificate, for https")
  .option("--tls-key <file>", "its key")
  .option("--nodes <n>", "headless nodes to start on this machine", "0")
  .option("--task-deadline <seconds>", "kill a task's worker after this time", "600")
  .option("--demo", "run both jobs at full size, then go on serving")
  .option("--verbose", "log every decision")
  .action(lazy(async () => (await import("./commands/start.ts")).start));

program
  .command("node")
  .description("join a coordinator and compute for it")
  .requiredOption("--join <url>", "the join link, or the coordinator's URL")
  .option("--token <token>", "join token, unless the link has it or KINDLING_TOKEN is set")
  .option("--token-file <file>", "a file with the join token")
  .option("--name <name>", "what the dashboard calls it (default: this machine's name)")
  .option("--slots <n>", "workers (default: one for each core)")
  .option("--memory <bytes>", "memory that they may use together, e.g. 2G (default: half of this machine's)")
  .option(
    "--relay-only",
    "connect to no other node: all bytes go through the coordinator, and no node learns this one's address",
  )
  .option("--execution-log <file>", "append a line of JSON for every attempt that runs here")
  .action(lazy(async () => (await import("./commands/node.ts")).node));

program
  .command("run")
  .description("run a workload: a built-in one (forecast, string-count, pi) or a .ts file of your own")
  .usage("WORKLOAD|FILE.ts [options]   (kindling run WORKLOAD --help lists its options)")
  .argument("[args...]")
  .helpOption(false)
  .allowUnknownOption()
  .passThroughOptions()
  .action(lazy(async () => (await import("./commands/run.ts")).run));

program
  .command("predict")
  .description("predict with a model that `run forecast --model-out` has saved")
  .usage("--model FILE --input FILE --out FILE [options]   (kindling predict --help lists them)")
  .argument("[args...]")
  .helpOption(false)
  .allowUnknownOption()
  .passThroughOptions()
  .action(lazy(async () => (await import("./commands/predict.ts")).predict));

const remote = (name: string, description: string): Command =>
  program
    .command(name)
    .description(description)
    .option("--on <url>", "the coordinator", DEFAULT_URL)
    .option("--token <token>", "its operator token")
    .option("--data-dir <dir>", "where a coordinator on this machine keeps its token", DEFAULT_DATA_DIR)
    .option("--json", "print JSON");

remote("jobs", "list a coordinator's jobs").action(lazy(async () => (await import("./commands/jobs.ts")).jobs));
remote("status", "show a job: stages, shares, result")
  .argument("<job>")
  .action(lazy(async () => (await import("./commands/jobs.ts")).status));
remote("logs", "print a job's log")
  .argument("<job>")
  .option("-f, --follow", "go on until it ends")
  .action(lazy(async () => (await import("./commands/jobs.ts")).logs));
remote("cancel", "cancel a job")
  .argument("<job>")
  .action(lazy(async () => (await import("./commands/jobs.ts")).cancel));

const data = program.command("data").description("make input files").enablePositionalOptions();
data
  .command("tuples")
  .description("write the tuples that string-count would generate to a CSV file")
  .usage("--out FILE [options]   (kindling data tuples --help lists them)")
  .argument("[args...]")
  .helpOption(false)
  .allowUnknownOption()
  .passThroughOptions()
  .action(lazy(async () => (await import("./commands/data.ts")).dataTuples));
data
  .command("weather")
  .description("write daily weather: of a real place to a file, or synthetic, of 1990–2021, to a folder")
  .requiredOption("--out <path>", "file to write; with --source synthetic a folder")
  .option("--source <name>", "synthetic, nasa-power or open-meteo", "synthetic")
  .option("--lat <degrees>", "the place's latitude, south negative")
  .option("--lon <degrees>", "its longitude, west negative")
  .option("--from <date>", "first day, YYYYMMDD or YYYY-MM-DD")
  .option("--to <date>", "last day")
  .addOption(new Option("--base-url <url>", "another address of the service").hideHelp())
  .option("--seed <n>", "seed of synthetic weather", "1")
  .action(lazy(async () => (await import("./commands/data.ts")).dataWeather));

const emr = addEmr(program);
const ecr = addEcr(program);

for (const group of [program, data, emr, ecr]) for (const command of [group, ...group.commands]) command.exitOverride();

// Who reads the output may have had enough: `kindling jobs | head -1`.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit();
});

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : WRONG_USAGE;
  } else {
    const { code, message } = toWireError(error);
    process.stderr.write(problem(message));
    process.exitCode = USAGE_CODES.has(code) ? WRONG_USAGE : FAILED;
  }
}
