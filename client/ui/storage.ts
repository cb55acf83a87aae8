/** What the pages need of a Storage. */
export type KeyValue = Pick<Storage, "getItem" | "setItem" | "removeItem">;

/** A Storage that never throws: where the browser forbids it or it is full, values live as long as the page. */
export function safeStorage(open: () => KeyValue): KeyValue {
  const memory = new Map<string, string>();
  const attempt = <T>(use: (storage: KeyValue) => T): T | null => {
    try {
      return use(open());
    } catch {
      return null;
    }
  };
  return {
    getItem: (key) => memory.get(key) ?? attempt((storage) => storage.getItem(key)),
    setItem(key, value) {
      memory.set(key, value);
      attempt((storage) => storage.setItem(key, value));
    },
    removeItem(key) {
      memory.delete(key);
      attempt((storage) => storage.removeItem(key));
    },
  };
}
