import type { Command } from "commander";
import { DEFAULT_RELEASE } from "../../../docker/emr/index.ts";
import { emrConfig, emrNotebookCell } from "./emr-config.ts";

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
      .option("--release <label>", "EMR release", DEFAULT_RELEASE)
      .option("--executors <n>", "executor instances", "2");
  withImage(emr.command("config"))
    .description("write a cluster's software settings: Docker containers, Livy, and RAPIDS where it is wanted")
    .option("--registry <hosts...>", "other registries whose images may run")
    .option("--rapids", "GPUs in YARN and the RAPIDS plug-in in Spark")
    .option("--bootstrap", "with --rapids: print the bootstrap action instead")
    .option("--out <file>", "write them here")
    .action(emrConfig);
  withImage(emr.command("notebook-cell"))
    .description("print a notebook's first cell: its session runs in the image")
    .action(emrNotebookCell);
  return emr;
}
