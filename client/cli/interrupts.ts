const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/** Calls back at the first SIGINT or SIGTERM; a second one ends the process as ever. The returned function ends the wait. */
export function onInterrupt(callback: () => void): () => void {
  const stop = (): void => {
    for (const signal of SIGNALS) process.off(signal, interrupted);
  };
  const interrupted = (): void => {
    stop();
    callback();
  };
  for (const signal of SIGNALS) process.on(signal, interrupted);
  return stop;
}
