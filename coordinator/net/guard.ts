import { isIP } from "node:net";
import { networkInterfaces } from "node:os";
import { KindlingError } from "../../shared/errors.ts";

/** What the coordinator answers to. A page elsewhere can reach it through a name of its own (DNS rebinding), never through these. */
export interface Hosting {
  /** Where it is bound. */
  readonly host: string;
  readonly publicUrl: string | null;
  readonly secure: boolean;
}

const LOOPBACK = ["127.0.0.1", "localhost", "[::1]"];
const WILDCARDS = ["0.0.0.0", "::", ""];

/** This machine's own addresses at the moment, as they stand in URLs. */
export const ownAddresses = (): string[] =>
  Object.values(networkInterfaces()).flatMap((addresses) =>
    (addresses ?? []).map(({ address }) => hostInUrl(address.replace(/%.*$/, ""))),
  );

/** Whether a connection from this address comes from this machine. */
export function isThisMachine(address: string): boolean {
  const plain = address.replace(/^::ffff:/, "");
  return /^127\./.test(plain) || plain === "::1" || ownAddresses().includes(hostInUrl(plain));
}

export const hostInUrl = (host: string): string => (isIP(host) === 6 ? `[${host}]` : host.toLowerCase());

/** A Host header that is one of ours, as `host` or `host:port` in lower case; throws `ForeignHost` otherwise. */
export function checkHost(header: string | undefined, hosting: Hosting, addresses: () => string[]): string {
  const url = header === undefined || !/^[\w.:[\]-]+$/.test(header) ? null : URL.parse(`http://${header}`);
  if (url !== null && isOwnName(url.hostname, hosting, addresses)) return url.host;
  throw new KindlingError(
    "ForeignHost",
    "This coordinator does not answer to that host name: use its own address, or start it with --public-url",
  );
}

function isOwnName(name: string, { host, publicUrl }: Hosting, addresses: () => string[]): boolean {
  if (LOOPBACK.includes(name) || name === hostInUrl(host)) return true;
  if (publicUrl !== null && name === new URL(publicUrl).hostname) return true;
  return WILDCARDS.includes(host) && isIP(name.replace(/^\[|\]$/g, "")) !== 0 && addresses().includes(name);
}

/** Throws `ForeignOrigin` for a request that a page of another origin sent. `host` is the checked Host header. */
export function checkOrigin(origin: string | undefined, host: string, { publicUrl, secure }: Hosting): void {
  // What is no browser sends none.
  if (origin === undefined) return;
  const own = new URL(`${secure ? "https" : "http"}://${host}`).origin;
  if (origin === own || (publicUrl !== null && origin === new URL(publicUrl).origin)) return;
  throw new KindlingError("ForeignOrigin", "Pages of other origins may not do this");
}
