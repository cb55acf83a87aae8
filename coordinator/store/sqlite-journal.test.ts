import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { jobId } from "../../shared/ids.ts";
import { aJob, anOutput, journalContract } from "./journal.contract.ts";
import { SqliteJournal, type SqliteJournalOptions } from "./sqlite-journal.ts";

const made: string[] = [];
const open: SqliteJournal[] = [];

async function tempDir(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "kindling-journal-"));
  made.push(dir);
  return dir;
}

async function openIn(dir: string, options?: SqliteJournalOptions): Promise<SqliteJournal> {
  const { journal } = await SqliteJournal.open(dir, options);
  open.push(journal);
  return journal;
}

afterEach(async () => {
  await Promise.allSettled(open.splice(0).map((journal) => journal.close()));
  await Promise.all(made.splice(0).map((dir) => rm(dir, { recursive: true, force: true })));
});

journalContract("SQLite journal", async () => openIn(await tempDir()));

test("the next life sees what was synced, and counts itself", async () => {
  const dir = join(await tempDir(), "deep", "er");
  const first = await openIn(dir);
  first.putJob(aJob("a"));
  first.putOutput(anOutput("a", 1, 2));
  first.putEntry(jobId("a"), 0, "answer");
  await first.sync();
  await first.close();
  const { journal: second, problems } = await SqliteJournal.open(dir);
  open.push(second);
  expect(second.incarnation).toBe(2);
  expect(problems).toEqual([]);
  expect(second.jobs()).toEqual([aJob("a")]);
  expect(second.outputs(jobId("a"))).toEqual([anOutput("a", 1, 2)]);
  expect(second.entries(jobId("a"))).toEqual(new Map([[0, "answer"]]));
});

test("close writes what was not synced yet", async () => {
  const dir = await tempDir();
  const first = await openIn(dir);
  first.putJob(aJob("a"));
  await first.close();
  expect((await openIn(dir)).jobs()).toHaveLength(1);
});

test("a full disk rejects the sync, keeps the writes, and takes them once there is room", async () => {
  const journal = await openIn(await tempDir(), { maxBytes: 200_000 });
  const ballast = jobId("ballast");
  journal.putEntry(ballast, 0, new Uint8Array(120_000));
  await journal.sync();
  journal.putEntry(jobId("a"), 0, new Uint8Array(100_000).fill(7));
  await expect(journal.sync()).rejects.toMatchObject({ code: "StorageFull", retryable: true });
  await expect(journal.sync()).rejects.toMatchObject({ code: "StorageFull" });
  expect(journal.entries(ballast).size).toBe(1);
  expect(journal.entries(jobId("a")).get(0)).toEqual(new Uint8Array(100_000).fill(7));
  journal.deleteJob(ballast);
  await journal.sync();
  expect(journal.entries(ballast).size).toBe(0);
  expect(journal.entries(jobId("a")).get(0)).toEqual(new Uint8Array(100_000).fill(7));
});

test("one data directory belongs to one coordinator, and the message names it", async () => {
  const dir = await tempDir();
  await openIn(dir);
  await expect(SqliteJournal.open(dir)).rejects.toMatchObject({
    code: "StorageLocked",
    message: expect.stringContaining(`process ${process.pid}`) as string,
  });
});

test("the lock goes with a process that was killed, and what it had synced is there", async () => {
  const dir = await tempDir();
  const child = spawn(process.execPath, [
    "--input-type=module",
    "--eval",
    `const { SqliteJournal } = await import(${JSON.stringify(new URL("sqlite-journal.ts", import.meta.url).href)});
     const { journal } = await SqliteJournal.open(${JSON.stringify(dir)});
     journal.putEntry("a", 0, "synced");
     await journal.sync();
     journal.putEntry("a", 1, "not synced");
     console.log("ready");
     setInterval(() => {}, 1000);`,
  ]);
  let complaint = "";
  child.stderr.on("data", (text: Buffer) => {
    complaint += text.toString();
  });
  const [said] = (await Promise.race([once(child.stdout, "data"), once(child, "exit")])) as [Buffer | number];
  expect(said.toString(), complaint).toBe("ready\n");
  await expect(SqliteJournal.open(dir)).rejects.toThrow(`process ${child.pid}`);
  child.kill("SIGKILL");
  await once(child, "exit");
  const journal = await openIn(dir);
  expect(journal.incarnation).toBe(2);
  expect(journal.entries(jobId("a"))).toEqual(new Map([[0, "synced"]]));
});

test("a directory that cannot be made or written is named", async () => {
  const file = join(await tempDir(), "file");
  await writeFile(file, "");
  for (const dir of [file, join(file, "below")]) {
    await expect(SqliteJournal.open(dir)).rejects.toMatchObject({
      code: "StorageFailed",
      message: expect.stringContaining(dir) as string,
    });
  }
});

test("a file that is no journal is refused, not overwritten", async () => {
  const dir = await tempDir();
  await writeFile(
    join(dir, "journal.sqlite"),
    "not a database, but long enough to look like a file that someone needs",
  );
  await expect(SqliteJournal.open(dir)).rejects.toMatchObject({ code: "StorageCorrupt" });
});
