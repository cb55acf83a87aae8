import { describe, expect, test } from "vitest";
import type { Classification } from "./classification.ts";
import { ecrHost, registryOf } from "./image-name.ts";
import { notebookCell } from "./notebook-cell.ts";
import { rapidsBootstrap } from "./rapids.ts";
import { parseRelease } from "./release.ts";
import { CLIENT_CONFIG, type SettingsOptions, softwareSettings } from "./settings.ts";

const ECR = "123456789123.dkr.ecr.us-east-1.amazonaws.com";
const IMAGE = `${ECR}/scalableml:s3spark`;
const options = (release: string, changed: Partial<SettingsOptions> = {}): SettingsOptions => ({
  release: parseRelease(release),
  image: IMAGE,
  registries: [],
  executors: 2,
  rapids: false,
  ...changed,
});
const propertiesOf = (list: readonly Classification[], name: string): Readonly<Record<string, string>> | undefined =>
  list.find(({ Classification }) => Classification === name)?.Properties;

test("the settings that the original wrote by hand, on a release that logs in to ECR by itself", () => {
  const { configurations, warnings } = softwareSettings(options("emr-6.15.0", { registries: ["centos"] }));
  expect(warnings).toEqual([]);
  expect(configurations).toEqual([
    {
      Classification: "container-executor",
      Properties: {},
      Configurations: [
        {
          Classification: "docker",
          Properties: {
            "docker.trusted.registries": `local,${ECR},centos`,
            "docker.privileged-containers.registries": `local,${ECR},centos`,
          },
        },
      ],
    },
    {
      Classification: "livy-conf",
      Properties: {
        "livy.impersonation.enabled": "true",
        "livy.spark.master": "yarn",
        "livy.spark.deploy-mode": "cluster",
        "livy.server.session.timeout": "16h",
      },
    },
    {
      Classification: "core-site",
      Properties: { "hadoop.proxyuser.livy.groups": "*", "hadoop.proxyuser.livy.hosts": "*" },
    },
    { Classification: "hive-site", Properties: { "hive.execution.mode": "container" } },
    {
      Classification: "spark-defaults",
      Properties: {
        "spark.executor.instances": "2",
        "spark.yarn.am.waitTime": "300s",
        "spark.executorEnv.YARN_CONTAINER_RUNTIME_TYPE": "docker",
        "spark.executorEnv.YARN_CONTAINER_RUNTIME_DOCKER_IMAGE": IMAGE,
        "spark.yarn.appMasterEnv.YARN_CONTAINER_RUNTIME_TYPE": "docker",
        "spark.yarn.appMasterEnv.YARN_CONTAINER_RUNTIME_DOCKER_IMAGE": IMAGE,
      },
    },
  ]);
});

test.each([
  ["emr-6.0.0", IMAGE, true],
  ["emr-6.1.0", IMAGE, false],
  ["emr-6.0.0", "docker.io/someone/image:1", false],
])("%s with %s: a job names the login's file: %s", (release, image, isNamed) => {
  const { configurations, warnings } = softwareSettings(options(release, { image }));
  const spark = propertiesOf(configurations, "spark-defaults") ?? {};
  for (const prefix of ["spark.executorEnv", "spark.yarn.appMasterEnv"]) {
    const file = spark[`${prefix}.YARN_CONTAINER_RUNTIME_DOCKER_CLIENT_CONFIG`];
    expect(file).toBe(isNamed ? CLIENT_CONFIG : undefined);
  }
  expect(warnings.some((warning) => warning.includes("config.json into HDFS"))).toBe(isNamed);
});

test("EMR 7: what AWS documents is said", () => {
  const { warnings } = softwareSettings(options("emr-7.9.0"));
  expect(warnings).toEqual([expect.stringContaining("for EMR 6.x alone")]);
});

describe("RAPIDS", () => {
  test.each([
    ["emr-6.15.0", "/sys/fs/cgroup"],
    ["emr-7.9.0", "/spark-rapids-cgroup"],
  ])("%s: GPUs are a resource of YARN's, under %s", (release, root) => {
    const { configurations } = softwareSettings(options(release, { image: null, rapids: true }));
    expect(configurations.map(({ Classification }) => Classification)).toEqual([
      ...["spark", "yarn-site", "container-executor", "livy-conf", "core-site", "spark-defaults", "capacity-scheduler"],
    ]);
    expect(propertiesOf(configurations, "yarn-site")).toMatchObject({
      "yarn.resource-types": "yarn.io/gpu",
      "yarn.nodemanager.linux-container-executor.cgroups.mount-path": root,
    });
    const executor = configurations.find(({ Classification }) => Classification === "container-executor");
    expect(executor?.Configurations).toEqual([
      { Classification: "gpu", Properties: { "module.enabled": "true" } },
      { Classification: "cgroups", Properties: { root, "yarn-hierarchy": "yarn" } },
    ]);
    const spark = propertiesOf(configurations, "spark-defaults");
    expect(spark).toMatchObject({
      "spark.plugins": "com.nvidia.spark.SQLPlugin",
      "spark.executor.resource.gpu.discoveryScript": "/usr/lib/spark/scripts/gpu/getGpusResources.sh",
      "spark.executor.resource.gpu.amount": "1",
    });
    // An executor's cores share its only GPU.
    expect(Number(spark?.["spark.executor.cores"]) * Number(spark?.["spark.task.resource.gpu.amount"])).toBe(1);
    expect(Object.keys(spark ?? {}).filter((name) => name.includes("DOCKER"))).toEqual([]);
    expect(rapidsBootstrap(parseRelease(release))).toContain(`chmod a+rwx -R ${root}`);
  });

  test("in containers both are written, and what is not documented is said", () => {
    const { configurations, warnings } = softwareSettings(options("emr-6.15.0", { rapids: true }));
    const executor = configurations.find(({ Classification }) => Classification === "container-executor");
    expect(executor?.Configurations?.map(({ Classification }) => Classification)).toEqual(["docker", "gpu", "cgroups"]);
    expect(propertiesOf(configurations, "yarn-site")).toMatchObject({
      "yarn.nodemanager.resource-plugins.gpu.docker-plugin": "nvidia-docker-v2",
    });
    expect(warnings.join("\n")).toContain("not in containers");
  });
});

test.each<[string, Partial<SettingsOptions>, string]>([
  ["emr-5.36.0", {}, "emr-5.36.0 cannot run Spark in Docker containers: take emr-6.0.0 or later"],
  ["emr-6.1.0", { rapids: true }, "emr-6.1.0 has no RAPIDS: take emr-6.2.0 or later"],
  ["emr-6.15.0", { image: null }, "--image is needed"],
  ["emr-6.15.0", { image: "spark" }, "spark names no registry"],
  ["emr-6.15.0", { image: "a/b c" }, '"a/b c" is not the name of an image'],
  ["emr-6.15.0", { registries: ["a,b"] }, "--registry takes a host"],
])("%s with %o: %s", (release, changed, message) => {
  expect(() => softwareSettings(options(release, changed))).toThrow(message);
});

test("releases, accounts and regions that are none", () => {
  for (const text of ["6", "emr-6.15", "latest", "emr-6.15.0; rm"])
    expect(() => parseRelease(text)).toThrow("--release takes");
  expect(parseRelease("6.15.0").label).toBe("emr-6.15.0");
  expect(() => ecrHost("1234", "us-east-1")).toThrow("12 digits");
  expect(() => ecrHost("123456789123", "us_east")).toThrow("--region takes");
  expect(ecrHost("123456789123", "cn-north-1")).toBe("123456789123.dkr.ecr.cn-north-1.amazonaws.com.cn");
  expect(registryOf("docker.io/someone/image@sha256:" + "a".repeat(64))).toBe("docker.io");
});

test("the notebook's cell is a magic line and JSON", () => {
  const [magic, ...json] = notebookCell(parseRelease("emr-6.0.0"), IMAGE, 3).split("\n");
  expect(magic).toBe("%%configure -f");
  expect(JSON.parse(json.join("\n"))).toEqual({
    conf: {
      "spark.pyspark.virtualenv.enabled": "false",
      ...Object.fromEntries(
        ["spark.executorEnv", "spark.yarn.appMasterEnv"].flatMap((prefix) => [
          [`${prefix}.YARN_CONTAINER_RUNTIME_TYPE`, "docker"],
          [`${prefix}.YARN_CONTAINER_RUNTIME_DOCKER_IMAGE`, IMAGE],
          [`${prefix}.YARN_CONTAINER_RUNTIME_DOCKER_CLIENT_CONFIG`, CLIENT_CONFIG],
        ]),
      ),
      "spark.executor.instances": "3",
    },
  });
});
