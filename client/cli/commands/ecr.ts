import type { Command } from "commander";
import { lazy } from "../lazy.ts";

/** Adds `kindling ecr …`. */
export function addEcr(program: Command): Command {
  const ecr = program.command("ecr").description("images in AWS ECR").enablePositionalOptions();
  ecr
    .command("push")
    .description("push an image of this machine's Docker to the account's registry, making its repository if need be")
    .argument("<image>", "name of the image here, such as kindling-spark:1")
    .option("--repository <name>", "name of the repository there (default: the image's)")
    .option("--tag <tag>", "its tag there (default: the image's, or latest)")
    .option("--region <name>", "AWS region (default: that of AWS_REGION or ~/.aws/config)")
    .option("--yes", "do not ask")
    .action(lazy(async () => (await import("./ecr-push.ts")).ecrPush));
  return ecr;
}
