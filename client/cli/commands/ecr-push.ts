import { checkRepository, docker, loggedIn, Registry } from "../../../docker/emr/index.ts";
import { confirm } from "../confirm.ts";

interface PushOptions {
  readonly repository?: string;
  readonly tag?: string;
  readonly region?: string;
  readonly yes?: boolean;
}

/** `kindling ecr push IMAGE`. */
export async function ecrPush(image: string, options: PushOptions): Promise<void> {
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
