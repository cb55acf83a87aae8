/** Ends with 0 if the URL answers with success: for HEALTHCHECK, in images that have no curl. */
const [url] = process.argv.slice(2);
const answer = await fetch(url, { signal: AbortSignal.timeout(2_500) }).catch(() => null);
process.exit(answer?.ok ? 0 : 1);
