import { KindlingError } from "../../shared/errors.ts";

export const DEFAULT_URL = "http://127.0.0.1:8080";
export const DEFAULT_DATA_DIR = ".kindling";

/** `http://host/join#token=T` as its parts. */
export function splitLink(link: string): { url: URL; token: string | undefined } {
  let url: URL;
  try {
    url = new URL(link);
    if (!["http:", "https:"].includes(url.protocol)) throw new TypeError("no web address");
  } catch {
    throw new KindlingError("BadUsage", `${JSON.stringify(link)} is not a URL such as ${DEFAULT_URL}`);
  }
  const token = new URLSearchParams(url.hash.slice(1)).get("token") ?? undefined;
  return { url, token };
}
