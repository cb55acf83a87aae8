import { createHash, timingSafeEqual } from "node:crypto";
import type { Clock } from "../../shared/clock.ts";
import { KindlingError } from "../../shared/errors.ts";
import { FailureCounter } from "./rate-limit.ts";
import type { Role } from "./route.ts";

/** Base64url digits of 128 bits: a shorter token could be guessed. */
const MIN_TOKEN_LENGTH = 22;
const TRIES_PER_MINUTE = 10;

export interface Authority {
  /** The role of an Authorization header. Throws `Unauthorized`, or `TooManyTries` after ten wrong ones in a minute. */
  roleOf(authorization: string | undefined, address: string): Role;
  /** Whether a hello's token lets its node in; a wrong one counts as a try. */
  mayJoin(token: string, address: string): boolean;
  /** Whether the address has used up its tries to join. */
  isBlocked(address: string): boolean;
}

/**
 * Tokens are compared as SHA-256 digests, in constant time. A right token always passes, also while others behind the same
 * address guess: a flood of wrong ones must not lock the operator out. Requests and hellos are counted apart, since after a
 * restart a node's pending requests fail with the secret of the old session just before it joins again.
 */
export function createAuthority(
  tokens: { readonly operator: string; readonly join: string },
  isNodeSecret: (secret: string) => boolean,
  clock: Clock,
): Authority {
  for (const token of [tokens.operator, tokens.join]) {
    if (token.length < MIN_TOKEN_LENGTH) throw new KindlingError("WeakToken", "A token must have 128 bits or more");
  }
  const operator = digest(tokens.operator);
  const volunteer = digest(tokens.join);
  const requests = new FailureCounter(TRIES_PER_MINUTE, clock);
  const hellos = new FailureCounter(TRIES_PER_MINUTE, clock);

  function roleOfToken(token: string): Role | null {
    const given = digest(token);
    if (timingSafeEqual(given, operator)) return "operator";
    if (timingSafeEqual(given, volunteer)) return "volunteer";
    return isNodeSecret(token) ? "node" : null;
  }

  return {
    roleOf(authorization, address) {
      const token = /^Bearer ([\x21-\x7e]{1,256})$/i.exec(authorization ?? "")?.[1];
      if (token === undefined) {
        throw new KindlingError("Unauthorized", "A token is needed: send `Authorization: Bearer TOKEN`");
      }
      const role = roleOfToken(token);
      if (role !== null) return role;
      if (requests.isBlocked(address)) {
        throw new KindlingError("TooManyTries", "Too many wrong tokens from this address: wait a minute");
      }
      requests.add(address);
      throw new KindlingError("Unauthorized", "The token is not valid here (any more)");
    },
    mayJoin(token, address) {
      const role = roleOfToken(token);
      if (role === "operator" || role === "volunteer") return true;
      hellos.add(address);
      return false;
    },
    isBlocked: (address) => hellos.isBlocked(address),
  };
}

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
