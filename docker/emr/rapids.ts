import type { Classification } from "./classification.ts";
import { isAtLeast, type Release } from "./release.ts";

/** Where YARN finds the device cgroup: EMR 7 runs on cgroup v2, so that a bootstrap action mounts v1 beside it. */
const cgroupRoot = (release: Release): string =>
  isAtLeast(release, [7, 0]) ? "/spark-rapids-cgroup" : "/sys/fs/cgroup";

const CUDA_LIBRARIES = [
  ...["targets/x86_64-linux/lib", "extras/CUPTI/lib64", "compat/lib", "lib", "lib64"].map(
    (path) => `/usr/local/cuda/${path}`,
  ),
  ...["", "/docker"].flatMap((root) => ["hadoop", "hadoop-lzo"].map((name) => `${root}/usr/lib/${name}/lib/native`)),
].join(":");

/** Tasks that share an executor's only GPU. */
const TASKS_PER_GPU = 2;

/** GPUs as a resource that YARN hands out, after AWS's and Hadoop's pages on it. `docker` only where containers use them. */
export function gpuYarnSite(release: Release, inDocker: boolean): Record<string, string> {
  return {
    "yarn.nodemanager.resource-plugins": "yarn.io/gpu",
    "yarn.resource-types": "yarn.io/gpu",
    "yarn.nodemanager.resource-plugins.gpu.allowed-gpu-devices": "auto",
    "yarn.nodemanager.resource-plugins.gpu.path-to-discovery-executables": "/usr/bin",
    ...(inDocker ? { "yarn.nodemanager.resource-plugins.gpu.docker-plugin": "nvidia-docker-v2" } : {}),
    "yarn.nodemanager.linux-container-executor.cgroups.mount": "true",
    "yarn.nodemanager.linux-container-executor.cgroups.mount-path": cgroupRoot(release),
    "yarn.nodemanager.linux-container-executor.cgroups.hierarchy": "yarn",
    "yarn.nodemanager.container-executor.class": "org.apache.hadoop.yarn.server.nodemanager.LinuxContainerExecutor",
  };
}

/** What stands in container-executor.cfg for GPUs. */
export const gpuContainerExecutor = (release: Release): readonly Classification[] => [
  { Classification: "gpu", Properties: { "module.enabled": "true" } },
  { Classification: "cgroups", Properties: { root: cgroupRoot(release), "yarn-hierarchy": "yarn" } },
];

/** Without it the scheduler counts memory alone, and no GPU is ever scheduled. */
export const GPU_SCHEDULER: Readonly<Record<string, string>> = {
  "yarn.scheduler.capacity.resource-calculator": "org.apache.hadoop.yarn.util.resource.DominantResourceCalculator",
};

/** The plug-in that runs Spark's DataFrame operations on GPUs; what it cannot run stays on the CPU. */
export const RAPIDS_SPARK: Readonly<Record<string, string>> = {
  "spark.plugins": "com.nvidia.spark.SQLPlugin",
  "spark.executor.resource.gpu.discoveryScript": "/usr/lib/spark/scripts/gpu/getGpusResources.sh",
  "spark.executor.extraLibraryPath": CUDA_LIBRARIES,
  "spark.executor.resource.gpu.amount": "1",
  "spark.task.resource.gpu.amount": String(1 / TASKS_PER_GPU),
  "spark.executor.cores": String(TASKS_PER_GPU),
  "spark.task.cpus": "1",
  "spark.rapids.sql.concurrentGpuTasks": "1",
  "spark.rapids.memory.pinnedPool.size": "0",
  "spark.executor.memoryOverhead": "2G",
  "spark.locality.wait": "0s",
  "spark.sql.files.maxPartitionBytes": "512m",
};

/** The bootstrap action without which YARN may not use the device cgroup. */
export function rapidsBootstrap(release: Release): string {
  const steps = isAtLeast(release, [7, 0])
    ? [
        "sudo mkdir -p /spark-rapids-cgroup/devices",
        "sudo mount -t cgroup -o devices cgroupv1-devices /spark-rapids-cgroup/devices",
        "sudo chmod a+rwx -R /spark-rapids-cgroup",
      ]
    : ["sudo chmod a+rwx -R /sys/fs/cgroup/cpu,cpuacct", "sudo chmod a+rwx -R /sys/fs/cgroup/devices"];
  return ["#!/bin/bash", "set -ex", ...steps, ""].join("\n");
}
