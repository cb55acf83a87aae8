/**
 * The headers of every response. Scripts come from the coordinator alone, or from blobs that its own scripts made (workload
 * bundles in workers); WebAssembly may be compiled, text never evaluated. `host` is the checked Host header.
 */
export function securityHeaders(host: string, secure: boolean): Readonly<Record<string, string>> {
  const policy = {
    "default-src": "'none'",
    "script-src": "'self' 'wasm-unsafe-eval' blob:",
    "worker-src": "'self' blob:",
    "connect-src": `'self' ${secure ? "wss" : "ws"}://${host}`,
    "style-src": "'self'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "manifest-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
  };
  return {
    "Content-Security-Policy": Object.entries(policy)
      .map(([directive, sources]) => `${directive} ${sources}`)
      .join("; "),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
  };
}
