import type * as Sdk from "@aws-sdk/client-ecr";
import { explainAws } from "../../coordinator/index.ts";
import { KindlingError } from "../../shared/errors.ts";
import { checkRegion } from "./image-name.ts";

/** A login to an account's registry. The password is for Docker's standard input alone. */
export interface RegistryLogin {
  readonly host: string;
  readonly user: string;
  readonly password: string;
}

/** The caller's container registry in one region. Methods reject with a KindlingError that says what to do. */
export class Registry {
  readonly #sdk: typeof Sdk;
  readonly #client: Sdk.ECRClient;
  readonly region: string;

  private constructor(sdk: typeof Sdk, client: Sdk.ECRClient, region: string) {
    this.#sdk = sdk;
    this.#client = client;
    this.region = region;
  }

  /** Without a region it takes that of the SDK's own chain. */
  static async open(region: string | undefined): Promise<Registry> {
    if (region !== undefined) checkRegion(region);
    const sdk = await import("@aws-sdk/client-ecr");
    const client = new sdk.ECRClient(region === undefined ? {} : { region });
    return new Registry(sdk, client, await client.config.region().catch(fail("ECR")));
  }

  async has(repository: string): Promise<boolean> {
    try {
      await this.#client.send(new this.#sdk.DescribeRepositoriesCommand({ repositoryNames: [repository] }));
      return true;
    } catch (error) {
      if (error instanceof this.#sdk.RepositoryNotFoundException) return false;
      throw explainAws(error, `repository ${repository}`);
    }
  }

  /** Makes a repository whose images are scanned when they are pushed. One that is there by now is as good. */
  async create(repository: string): Promise<void> {
    const request = { repositoryName: repository, imageScanningConfiguration: { scanOnPush: true } };
    await this.#client.send(new this.#sdk.CreateRepositoryCommand(request)).catch((error: unknown) => {
      if (!(error instanceof this.#sdk.RepositoryAlreadyExistsException))
        throw explainAws(error, `repository ${repository}`);
    });
  }

  async login(): Promise<RegistryLogin> {
    const { authorizationData } = await this.#client
      .send(new this.#sdk.GetAuthorizationTokenCommand({}))
      .catch(fail("ECR"));
    const [data] = authorizationData ?? [];
    const [user, password] = Buffer.from(data?.authorizationToken ?? "", "base64")
      .toString("utf8")
      .split(":", 2);
    const host = data?.proxyEndpoint === undefined ? undefined : URL.parse(data.proxyEndpoint)?.host;
    if (!user || !password || host === undefined) throw new KindlingError("AwsRefused", "ECR gives no login");
    return { host, user, password };
  }
}

/** Throws `BadUsage` for what ECR would not take for a repository or a tag. */
export function checkRepository(name: string, tag: string): void {
  if (!/^(?=.{2,256}$)[a-z0-9]+([._-][a-z0-9]+)*(\/[a-z0-9]+([._-][a-z0-9]+)*)*$/.test(name)) {
    throw new KindlingError(
      "BadUsage",
      `--repository takes 2 to 256 lower-case letters, digits, . _ - and /, not ${JSON.stringify(name)}`,
    );
  }
  if (!/^[\w][\w.-]{0,127}$/.test(tag)) {
    throw new KindlingError("BadUsage", `--tag takes letters, digits, . _ and -, not ${JSON.stringify(tag)}`);
  }
}

const fail =
  (what: string) =>
  (error: unknown): never => {
    throw explainAws(error, what);
  };
