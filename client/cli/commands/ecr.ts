import type { Command } from "commander";
import { checkRepository, docker, loggedIn, Registry } from "../../../docker/emr/index.ts";
import { confirm } from "../confirm.ts";

interface PushOptions {
  readonly repository?: string;
  readonly tag?: string;
  readonly region?: string;
  readonly yes?: boolean;
}

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
    .action(push);
  return ecr;
}

async function push(image: string, options: PushOptions): Promise<void> {
  const [, path = "", ownTag = "latest"] = /^([^@]*?)(?::([^:/@]+))?(?:@.*)?$/.exec(image) ?? [];
  const repository = options.repository ?? path.split("/").at(-1) ?? "";
  const tag = options.tag ?? ownTag;
  checkRepository(repository, tag);
  const registry = await Registry.open(options.region);
  const isThere = await registry.has(repository);
  const making = isThere ? "" : ` makes the repository ${repository} and`;
  await confirm(
    `This${making} pushes ${image} to ECR in ${registry.region}; AWS bills its storage.`,
    options.yes ?? false,
  );
  if (!isThere) await registry.create(repository);
  const login = await registry.login();
  const target = `${login.host}/${repository}:${tag}`;
  await docker(["tag", image, target]);
  await loggedIn(login, (config) => docker(["push", target], { config }));
  process.stdout.write(`${target}\n`);
}
