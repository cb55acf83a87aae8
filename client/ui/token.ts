import type { KeyValue } from "./storage.ts";

/**
 * The token travels in the URL's fragment, which browsers never send, and leaves it at once: it must not stay in the history
 * nor in what a user copies from the address bar. It is kept for this tab alone, so that a reload works.
 */

/** Letters, digits and the marks of base64url; 22 of them carry 128 bits. */
const TOKEN = /^[A-Za-z0-9._~-]{22,256}$/;

export interface TokenPlace {
  readonly location: Pick<Location, "hash" | "pathname" | "search" | "origin">;
  readonly history: Pick<History, "replaceState" | "state">;
  readonly storage: KeyValue;
}

export interface TokenKeeper {
  /** The token of the fragment, which is cleared, or else the one kept by this tab; null if there is none. */
  take(): string | null;
  /** Keeps what a user pasted. */
  keep(token: string): void;
  forget(): void;
}

/** Each page has a key of its own: a join token opens no dashboard. */
export function tokenKeeper(key: string, { location, history, storage }: TokenPlace): TokenKeeper {
  return {
    take() {
      const given = tokenInFragment(location.hash);
      if (new URLSearchParams(location.hash.slice(1)).has("token")) {
        history.replaceState(history.state, "", location.pathname + location.search);
      }
      if (given !== null) storage.setItem(key, given);
      return given ?? storage.getItem(key);
    },
    keep: (token) => storage.setItem(key, token),
    forget: () => storage.removeItem(key),
  };
}

function tokenInFragment(hash: string): string | null {
  const token = new URLSearchParams(hash.replace(/^#/, "")).get("token");
  return token !== null && TOKEN.test(token) ? token : null;
}

export type PastedToken =
  | { readonly ok: true; readonly token: string }
  /** `problem` is a sentence for the user. */
  | { readonly ok: false; readonly problem: string };

/** Reads what a user pasted: a whole link of this coordinator, its fragment, or the bare token. */
export function parsePastedToken(text: string, origin: string): PastedToken {
  const trimmed = text.trim();
  if (trimmed === "") return { ok: false, problem: "Paste the link that you were given, or the token at its end." };
  if (TOKEN.test(trimmed)) return { ok: true, token: trimmed };
  const hash = trimmed.indexOf("#");
  const token = tokenInFragment(hash === -1 ? `#${trimmed}` : trimmed.slice(hash));
  if (/^https?:\/\//i.test(trimmed)) {
    const other = URL.canParse(trimmed) ? new URL(trimmed).origin : null;
    if (other !== origin) {
      return {
        ok: false,
        problem: `That link belongs to ${other ?? "another address"}: open it in the address bar instead.`,
      };
    }
  }
  if (token === null)
    return { ok: false, problem: "There is no token in this. A link ends in #token= and a long word." };
  return { ok: true, token };
}
