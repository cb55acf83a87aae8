import { expect, test } from "vitest";
import { openSpillFile, type PrivateFiles } from "./opfs-spill.ts";

/** A private file system in memory; files that are open cannot be deleted, and `quota` bytes fit into one. */
function privateFiles(quota = 1_000) {
  const files = new Map<string, { content: Uint8Array; isOpen: boolean }>();
  const access = (name: string) => {
    const file = files.get(name);
    if (file === undefined) throw new Error("NotFoundError");
    file.isOpen = true;
    return {
      read(target: Uint8Array, { at }: { at: number }) {
        const part = file.content.subarray(at, at + target.length);
        target.set(part);
        return part.length;
      },
      write(bytes: Uint8Array, { at }: { at: number }) {
        if (at + bytes.length > quota) throw new DOMException("full", "QuotaExceededError");
        const grown = new Uint8Array(Math.max(file.content.length, at + bytes.length));
        grown.set(file.content);
        grown.set(bytes, at);
        file.content = grown;
        return bytes.length;
      },
      truncate: (bytes: number) => {
        file.content = file.content.slice(0, bytes);
      },
      close: () => {
        file.isOpen = false;
      },
    };
  };
  const folder = {
    async *keys() {
      yield* files.keys();
    },
    removeEntry: (name: string) => {
      if (files.get(name)?.isOpen === true) return Promise.reject(new Error("NoModificationAllowedError"));
      files.delete(name);
      return Promise.resolve();
    },
    getFileHandle: (name: string) => {
      files.set(name, files.get(name) ?? { content: new Uint8Array(0), isOpen: false });
      return Promise.resolve({ createSyncAccessHandle: () => Promise.resolve(access(name)) });
    },
  };
  const parts = {
    storage: { getDirectory: () => Promise.resolve({ getDirectoryHandle: () => Promise.resolve(folder) }) },
    locks: { request: (_name: string, act: () => Promise<unknown>) => act() },
  };
  return { files, parts: parts as unknown as PrivateFiles };
}

async function opened(parts: PrivateFiles) {
  const file = await openSpillFile(parts);
  if (file === undefined) throw new Error("there should be a file");
  return file;
}

test("a file keeps what is written to it, gives its space back, and is gone in the end", async () => {
  const { files, parts } = privateFiles();
  const file = await opened(parts);
  file.write(Uint8Array.of(1, 2, 3, 4), 0);
  const target = new Uint8Array(2);
  file.read(target, 1);
  expect(target).toEqual(Uint8Array.of(2, 3));
  expect(() => file.read(target, 3)).toThrow("shorter than it was");
  file.clear();
  expect([...files.values()].map(({ content }) => content.length)).toEqual([0]);
  file.close();
  await expect.poll(() => files.size).toBe(0);
});

test("what dead tabs left is deleted, what live ones use is not", async () => {
  const { files, parts } = privateFiles();
  files.set("left by a tab that crashed", { content: new Uint8Array(5), isOpen: false });
  const first = await opened(parts);
  expect(files.size).toBe(1);
  const second = await opened(parts);
  expect(files.size).toBe(2);
  first.close();
  second.close();
});

test("a full disk is an error that another node may be spared", async () => {
  const file = await opened(privateFiles(10).parts);
  file.write(new Uint8Array(10), 0);
  expect(() => file.write(new Uint8Array(1), 10)).toThrow(
    expect.objectContaining({ code: "SpillFull", retryable: true }) as Error,
  );
});

test("a browser that has no private files, or refuses them, gives none", async () => {
  expect(await openSpillFile({})).toBeUndefined();
  const { locks } = privateFiles().parts;
  const storage = { getDirectory: () => Promise.reject(new DOMException("no", "SecurityError")) };
  expect(await openSpillFile({ ...(locks && { locks }), storage })).toBeUndefined();
});
