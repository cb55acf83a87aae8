import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { fileExecutionLog } from "./execution-log.ts";
import { startHeadless } from "./headless.ts";

test("where nobody answers it keeps trying, says so, and can be stopped", async () => {
  // A port that was just free, and that nobody listens on.
  const server = createServer();
  const port = await new Promise<number>((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
  await new Promise((resolve) => server.close(resolve));
  const url = `http://127.0.0.1:${port}`;
  const lines: string[] = [];
  const failed = Promise.withResolvers<void>();
  const node = await startHeadless({
    url,
    token: "t",
    name: "test",
    slots: 1,
    memoryBytes: 1e8,
    log: (line) => {
      lines.push(line);
      if (line.startsWith(`connecting to ${url}: `)) failed.resolve();
    },
  });
  await failed.promise;
  expect(node.state).toMatchObject({ phase: "connecting", node: null, backends: ["wasm", "js"] });
  await node.stop();
  expect((await node.ended).phase).toBe("stopped");
  expect(lines.at(-1)).toBe("stopped (0 tasks done, 0 failed)");
});

test("an execution log that cannot be written is told before anything runs", () => {
  expect(() => fileExecutionLog(join(tmpdir(), "no-such-folder", "log"), () => {})).toThrow("no-such-folder");
});

test("the execution log is lines of JSON, appended", () => {
  const folder = mkdtempSync(join(tmpdir(), "kindling-"));
  try {
    const path = join(folder, "log");
    const record = { attempt: "job-1/0/0#1", task: "count", ms: 12.4, backend: "wasm", outcome: "ok" } as const;
    fileExecutionLog(path, () => {})(record);
    fileExecutionLog(path, () => {})({ ...record, backend: null, outcome: "TaskCrashed" });
    const lines = readFileSync(path, "utf8").trimEnd().split("\n");
    const at = expect.any(Number) as number;
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      { ...record, ms: 12, at },
      { ...record, ms: 12, at, backend: null, outcome: "TaskCrashed" },
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
