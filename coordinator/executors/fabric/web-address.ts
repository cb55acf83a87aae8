import { lookup as resolveName } from "node:dns/promises";
import { BlockList, isIP, type LookupFunction } from "node:net";
import { InputError } from "../../../shared/errors.ts";

/**
 * Which hosts inputs may come from: `any`; `public`, those whose every address is a public one; or the named ones
 * (`host` or `host:port`), wherever they are.
 */
export type WebRule = "any" | "public" | readonly string[];

/** Gives all addresses of a name. */
export type Resolve = (name: string) => Promise<readonly { readonly address: string; readonly family: number }[]>;
export const systemResolve: Resolve = (name) => resolveName(name, { all: true });

/** Addresses that are no public host's (IANA special-purpose registries); IPv6 outside 2000::/3 is not public either. */
const special = new BlockList();
for (const [net, bits] of [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
] as const) {
  special.addSubnet(net, bits, "ipv4");
}
for (const [net, bits] of [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
] as const) {
  special.addSubnet(net, bits, "ipv6");
}
const globalUnicast = new BlockList();
globalUnicast.addSubnet("2000::", 3, "ipv6");

export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !special.check(address, "ipv4");
  return family === 6 && globalUnicast.check(address, "ipv6") && !special.check(address, "ipv6");
}

/** What a URL names, checked as far as it can be without asking for its addresses. Throws `InputError`. */
export function checkUrl(text: string, rule: WebRule, name: string): URL {
  if (!URL.canParse(text)) throw new InputError(`${name}: not a URL`);
  const url = new URL(text);
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw new InputError(`${name}: only http and https can be read, not ${url.protocol}`);
  }
  const host = hostOf(url);
  if (typeof rule !== "string" && !rule.includes(host) && !rule.includes(url.host)) {
    throw new InputError(`${name}: ${url.host} is not among the hosts that --allow-urls names`);
  }
  if (isIP(host) !== 0 && rule === "public" && !isPublicAddress(host)) throw notPublic(name, host);
  return url;
}

/**
 * Looks a name up for a connection and refuses it if any of its addresses breaks the rule: what is checked is what is connected to,
 * so that a name which changes between two questions gains nothing.
 */
export function checkedLookup(rule: WebRule, name: string, resolve: Resolve): LookupFunction {
  return (host, { all }, done) => {
    resolve(host).then(
      (found) => {
        const [first] = found;
        const hidden = rule === "public" ? found.find(({ address }) => !isPublicAddress(address)) : undefined;
        if (first === undefined) done(new InputError(`${name}: ${host} has no address`), "");
        else if (hidden !== undefined) done(notPublic(name, hidden.address), "");
        else if (all === true) done(null, [...found]);
        else done(null, first.address, first.family);
      },
      (cause: unknown) => done(new InputError(`${name}: ${host} cannot be found`, { cause }), ""),
    );
  };
}

/** A URL's host without the brackets of IPv6. */
export const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[(.*)\]$/, "$1");

const notPublic = (name: string, address: string): InputError =>
  new InputError(
    `${name}: ${address} is not a public address, and only those may be read; name its host in --allow-urls`,
  );
