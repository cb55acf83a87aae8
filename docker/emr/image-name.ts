import { KindlingError } from "../../shared/errors.ts";

/** ECR's host for an account (12 digits) in a region. Throws `BadUsage`. */
export function ecrHost(account: string, region: string): string {
  if (!/^\d{12}$/.test(account)) {
    throw new KindlingError(
      "BadUsage",
      `--account takes the 12 digits of an AWS account, not ${JSON.stringify(account)}`,
    );
  }
  checkRegion(region);
  return `${account}.dkr.ecr.${region}.amazonaws.com${region.startsWith("cn-") ? ".cn" : ""}`;
}

/** Throws `BadUsage`. */
export function checkRegion(region: string): void {
  if (/^[a-z]{2,}(-[a-z]+)+-\d$/.test(region)) return;
  throw new KindlingError("BadUsage", `--region takes a name such as us-east-1, not ${JSON.stringify(region)}`);
}

export const isEcr = (image: string): boolean => /^\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(\.cn)?\//.test(image);

/**
 * What YARN must trust for an image to run: all before its first slash. Throws `BadUsage` for what is no image's name, or has no
 * registry (YARN compares the name as it is written, so `docker.io/` or an account must stand before it).
 */
export function registryOf(image: string): string {
  if (
    !/^[a-z0-9][a-z0-9._-]*(:\d+)?(\/[a-z0-9][a-z0-9._-]*)*(:[\w][\w.-]{0,127})?(@sha256:[0-9a-f]{64})?$/i.test(image)
  ) {
    throw new KindlingError("BadUsage", `${JSON.stringify(image)} is not the name of an image`);
  }
  const slash = image.indexOf("/");
  if (slash < 0) {
    throw new KindlingError(
      "BadUsage",
      `${image} names no registry: give --account and --region for ECR, or write it as docker.io/ACCOUNT/${image}`,
    );
  }
  return image.slice(0, slash);
}
