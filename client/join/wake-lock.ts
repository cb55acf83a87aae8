/** Keeps the screen on while wanted, where the browser can (secure pages only): a dark phone soon stops its tabs. */
export function createWakeLock(navigator: Navigator, document: Document): { want(on: boolean): void } {
  let wanted = false;
  let held: WakeLockSentinel | null = null;
  let asking = false;

  async function acquire(): Promise<void> {
    if (!wanted || held !== null || asking || document.visibilityState !== "visible" || !("wakeLock" in navigator))
      return;
    asking = true;
    try {
      const sentinel = await navigator.wakeLock.request("screen");
      held = sentinel;
      sentinel.addEventListener("release", () => {
        held = null;
      });
      if (!wanted) await sentinel.release();
    } catch {
      // Refused (battery saver, policy): the node works without it.
    } finally {
      asking = false;
    }
  }

  // The browser drops the lock whenever the page is hidden.
  document.addEventListener("visibilitychange", () => void acquire());
  return {
    want(on) {
      if (on === wanted) return;
      wanted = on;
      if (on) void acquire();
      else void held?.release();
    },
  };
}
