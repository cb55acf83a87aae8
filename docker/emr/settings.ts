import { KindlingError } from "../../shared/errors.ts";
import type { Classification } from "./classification.ts";
import { isEcr, registryOf } from "./image-name.ts";
import { GPU_SCHEDULER, gpuContainerExecutor, gpuYarnSite, RAPIDS_SPARK } from "./rapids.ts";
import { isAtLeast, type Release } from "./release.ts";

export interface SettingsOptions {
  readonly release: Release;
  /** The image that executors and the application master run in, with its registry; null for none. */
  readonly image: string | null;
  /** Other registries whose images may run, besides the image's own. */
  readonly registries: readonly string[];
  readonly executors: number;
  readonly rapids: boolean;
}

export interface Settings {
  readonly configurations: readonly Classification[];
  /** What the reader should know before using them, a sentence each. */
  readonly warnings: readonly string[];
}

/** Where the registry's login lies on the cluster, for releases that do not get one from ECR by themselves. */
export const CLIENT_CONFIG = "hdfs:///user/hadoop/config.json";

/** Whether a job must name a file with the registry's login: ECR needs none from EMR 6.1 on. */
const needsClientConfig = (release: Release, image: string): boolean => isEcr(image) && !isAtLeast(release, [6, 1]);

/** A cluster's software settings. Throws `BadUsage` for a combination that cannot work. */
export function softwareSettings(options: SettingsOptions): Settings {
  const { release, image, rapids } = options;
  check(options);
  const registries = image === null ? [] : [...new Set(["local", registryOf(image), ...options.registries])];
  const executor = [
    ...(image === null ? [] : [dockerExecutor(registries, rapids)]),
    ...(rapids ? gpuContainerExecutor(release) : []),
  ];
  const configurations: Classification[] = [
    ...(rapids
      ? [entry("spark", { enableSparkRapids: "true" }), entry("yarn-site", gpuYarnSite(release, image !== null))]
      : []),
    ...(executor.length > 0 ? [{ ...entry("container-executor", {}), Configurations: executor }] : []),
    entry("livy-conf", {
      "livy.impersonation.enabled": "true",
      "livy.spark.master": "yarn",
      "livy.spark.deploy-mode": "cluster",
      "livy.server.session.timeout": "16h",
    }),
    entry("core-site", { "hadoop.proxyuser.livy.groups": "*", "hadoop.proxyuser.livy.hosts": "*" }),
    ...(image === null ? [] : [entry("hive-site", { "hive.execution.mode": "container" })]),
    entry("spark-defaults", {
      "spark.executor.instances": String(options.executors),
      ...(image === null ? {} : { "spark.yarn.am.waitTime": "300s", ...dockerRuntime(release, image) }),
      ...(rapids ? RAPIDS_SPARK : {}),
    }),
    ...(rapids ? [entry("capacity-scheduler", GPU_SCHEDULER)] : []),
  ];
  return { configurations, warnings: warningsOf(options) };
}

/** The Spark properties that put executors and the application master into containers of `image`. */
export function dockerRuntime(release: Release, image: string): Record<string, string> {
  const variables: Record<string, string> = {
    YARN_CONTAINER_RUNTIME_TYPE: "docker",
    YARN_CONTAINER_RUNTIME_DOCKER_IMAGE: image,
    ...(needsClientConfig(release, image) ? { YARN_CONTAINER_RUNTIME_DOCKER_CLIENT_CONFIG: CLIENT_CONFIG } : {}),
  };
  return Object.fromEntries(
    ["spark.executorEnv", "spark.yarn.appMasterEnv"].flatMap((prefix) =>
      Object.entries(variables).map(([name, value]) => [`${prefix}.${name}`, value]),
    ),
  );
}

const entry = (name: string, properties: Readonly<Record<string, string>>): Classification => ({
  Classification: name,
  Properties: properties,
});

function dockerExecutor(registries: readonly string[], rapids: boolean): Classification {
  const list = registries.join(",");
  return entry("docker", {
    "docker.trusted.registries": list,
    "docker.privileged-containers.registries": list,
    ...(rapids ? { "docker.allowed.runtimes": "nvidia" } : {}),
  });
}

function check({ release, image, registries, rapids }: SettingsOptions): void {
  const problem = (message: string): KindlingError => new KindlingError("BadUsage", message);
  if (image === null && !rapids) throw problem("--image is needed: the image that the cluster's containers run");
  if (image === null && registries.length > 0) throw problem("--registry needs an --image");
  if (image !== null && !isAtLeast(release, [6, 0])) {
    throw problem(`${release.label} cannot run Spark in Docker containers: take emr-6.0.0 or later`);
  }
  if (rapids && !isAtLeast(release, [6, 2])) throw problem(`${release.label} has no RAPIDS: take emr-6.2.0 or later`);
  for (const registry of registries) {
    if (!/^[a-z0-9][a-z0-9._/:-]*$/i.test(registry)) {
      throw problem(`--registry takes a host such as docker.io, not ${JSON.stringify(registry)}`);
    }
  }
}

function warningsOf({ release, image, rapids }: SettingsOptions): string[] {
  const warnings: string[] = [];
  if (image !== null && isAtLeast(release, [7, 0])) {
    warnings.push(
      `AWS documents Spark in Docker containers for EMR 6.x alone ("works only with Amazon EMR version 6.x"): with ${release.label} it is untold, and we have not tried it`,
    );
  }
  if (image !== null && needsClientConfig(release, image)) {
    warnings.push(
      `${release.label} does not log in to ECR by itself: put Docker's config.json into HDFS as /user/hadoop/config.json (docker/emr/README.md says how)`,
    );
  }
  if (image !== null && rapids) {
    warnings.push(
      "AWS documents RAPIDS on the cluster's hosts, not in containers: the nodes need the NVIDIA container runtime and the image CUDA, and we have not tried it",
    );
  }
  if (rapids) warnings.push("RAPIDS needs its bootstrap action: `kindling emr config --rapids --bootstrap` prints it");
  return warnings;
}
