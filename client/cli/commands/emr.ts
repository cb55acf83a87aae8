import type { Command } from "commander";
import { lazy } from "../lazy.ts";

/** Adds `kindling emr …`. */
export function addEmr(program: Command): Command {
  const emr = program.command("emr").description("Spark clusters on AWS EMR").enablePositionalOptions();
  const withImage = (command: Command): Command =>
    command
      .option(
        "--image <name>",
        "image of executors and application master; with --account its repository and tag alone",
      )
      .option("--account <digits>", "AWS account whose ECR has the image")
      .option("--region <name>", "AWS region of that ECR")
      .option("--release <label>", "EMR release (default: the newest for which AWS documents Docker)")
      .option("--executors <n>", "executor instances", "2");
  const withSettings = (command: Command): Command =>
    withImage(command)
      .option("--registry <hosts...>", "other registries whose images may run")
      .option("--rapids", "GPUs in YARN and the RAPIDS plug-in in Spark");
  withSettings(emr.command("config"))
    .description("write a cluster's software settings: Docker containers, Livy, and RAPIDS where it is wanted")
    .option("--bootstrap", "with --rapids: print the bootstrap action instead")
    .option("--out <file>", "write them here")
    .action(lazy(async () => (await import("./emr-config.ts")).emrConfig));
  withImage(emr.command("notebook-cell"))
    .description("print a notebook's first cell: its session runs in the image")
    .action(lazy(async () => (await import("./emr-config.ts")).emrNotebookCell));
  emr
    .command("image")
    .description("build an image with your own Python packages on top of Kindling's")
    .requiredOption("--requirements <file>", "pip's requirements, such as statsmodels==0.14.4")
    .option("--base <image>", "the image it is made from", "kindling-spark")
    .option("--tag <name>", "what it is called", "kindling-spark:own")
    .option("--print", "print its Dockerfile and build nothing")
    .action(lazy(async () => (await import("./emr-image.ts")).emrImage));
  withSettings(emr.command("create"))
    .description("start a cluster with these settings; prints its id")
    .option("--name <name>", "what EMR calls it", "kindling")
    .option("--primary-type <type>", "instance type of the primary node", "m5.xlarge")
    .option("--core-type <type>", "instance type of core nodes", "m5.xlarge")
    .option("--core <n>", "core nodes", "2")
    .option("--log-uri <folder>", "s3://BUCKET/FOLDER/ for its logs, which `emr logs` reads")
    .option("--key-name <name>", "EC2 key pair for ssh")
    .option("--subnet <id>", "VPC subnet")
    .option("--service-role <role>", "EMR's own role", "EMR_DefaultRole")
    .option("--instance-profile <role>", "the machines' role", "EMR_EC2_DefaultRole")
    .option("--idle <seconds>", "end it after this time without work", "3600")
    .option("--print", "print the request of RunJobFlow instead of sending it")
    .option("--yes", "do not ask")
    .action(lazy(async () => (await import("./emr-cluster.ts")).emrCreate));
  const ofCluster = (name: string, args: string): Command =>
    emr
      .command(`${name} ${args}`)
      .option("--region <name>", "AWS region (default: that of AWS_REGION or ~/.aws/config)");
  emr
    .command("submit")
    .description("run a workload on a cluster, as `kindling run --executor spark --submit emr:CLUSTER` does")
    .usage("<cluster> WORKLOAD|FILE.ts [options]   (kindling run WORKLOAD --help lists them)")
    .argument("<cluster>")
    .argument("[args...]")
    .helpOption(false)
    .allowUnknownOption()
    .passThroughOptions()
    .action(lazy(async () => (await import("./emr-cluster.ts")).emrSubmit));
  ofCluster("status", "<cluster>")
    .description("show a cluster: state, machines, steps")
    .option("--json", "print JSON")
    .action(lazy(async () => (await import("./emr-cluster.ts")).emrStatus));
  ofCluster("logs", "<cluster> [step]")
    .description("print a step's logs (default: the newest step's) as far as EMR has copied them to S3")
    .option("--containers", "the application masters' instead, where drivers in cluster mode write")
    .action(lazy(async () => (await import("./emr-cluster.ts")).emrLogs));
  ofCluster("terminate", "<cluster>")
    .description("end a cluster")
    .option("--yes", "do not ask")
    .action(lazy(async () => (await import("./emr-cluster.ts")).emrTerminate));
  return emr;
}
