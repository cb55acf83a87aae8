import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { KindlingError } from "../../shared/errors.ts";
import { type JobId, jobOfTask, taskKey } from "../../shared/ids.ts";
import type { Value } from "../../shared/value.ts";
import { makeDataDir, syncDir } from "./data-dir.ts";
import { storageError } from "./failures.ts";
import type { JobRecord, Journal, OutputRecord } from "./journal.ts";
import { type Kind, KINDS, keyText, type RecordKey, seal, unseal } from "./records.ts";

const FILE = "journal.sqlite";
const OWNER = "coordinator.pid";
const FORMAT = 1;
const SQLITE_BUSY = 5;
/** Damage to the file's structure: the checksums of records cannot be trusted to find all of it. */
const SQLITE_CORRUPT = new Set([11, 26]);

interface KeyedRecord {
  readonly key: RecordKey;
  readonly record: Uint8Array;
}

/** A row as it lies in the table `records`. */
interface Row {
  readonly job: string;
  readonly ordinal: number;
  readonly partition: number;
  readonly record: Uint8Array;
}

export interface SqliteJournalOptions {
  /** The most bytes that the journal's file may take; beyond it `sync` rejects with `StorageFull`. Default: the disk's. */
  readonly maxBytes?: number;
}

/**
 * The journal in one SQLite file. A write-ahead log with synchronous=FULL costs one fsync for each commit, and one commit
 * takes everything that was written in the same turn of the event loop. The file is locked as long as it is open, so
 * that two coordinators cannot share a data directory; the lock goes with the process, however it ends.
 */
export class SqliteJournal implements Journal {
  readonly incarnation: number;
  readonly #db: DatabaseSync;
  readonly #path: string;
  readonly #ownerPath: string;
  readonly #insert: StatementSync;
  readonly #select: StatementSync;
  readonly #selectKind: StatementSync;
  readonly #delete: StatementSync;
  /** What waits for its commit, by key: first these jobs are deleted, then these records are written. */
  readonly #deleted = new Set<JobId>();
  readonly #written = new Map<string, KeyedRecord>();
  #commit: Promise<void> | null = null;
  #closed = false;

  /**
   * Opens the journal of a data directory, making both if they are not there. `problems` tells, in words, of the records
   * that are left out because they are damaged. Rejects with `StorageFailed` (not writable), `StorageLocked` (another
   * process has it) or `StorageCorrupt` (damaged beyond single records).
   */
  static async open(
    dir: string,
    options: SqliteJournalOptions = {},
  ): Promise<{ readonly journal: SqliteJournal; readonly problems: readonly string[] }> {
    await makeDataDir(dir);
    const path = join(dir, FILE);
    let db: DatabaseSync | undefined;
    try {
      db = new DatabaseSync(path);
      prepareFile(db, path, options);
      const journal = new SqliteJournal(db, path, join(dir, OWNER));
      await syncDir(dir);
      return { journal, problems: journal.#verify() };
    } catch (cause) {
      if (db?.isOpen === true) db.close();
      throw openError(cause, dir, path);
    }
  }

  private constructor(db: DatabaseSync, path: string, ownerPath: string) {
    this.#db = db;
    this.#path = path;
    this.#ownerPath = ownerPath;
    this.#insert = db.prepare(
      "INSERT OR REPLACE INTO records (kind, job, ordinal, partition, record) VALUES (?, ?, ?, ?, ?)",
    );
    const columns = "SELECT job, ordinal, partition, record FROM records";
    this.#select = db.prepare(`${columns} WHERE kind = ? AND job = ? ORDER BY ordinal, partition`);
    this.#selectKind = db.prepare(`${columns} WHERE kind = ?`);
    this.#delete = db.prepare("DELETE FROM records WHERE kind = ? AND job = ?");
    this.incarnation = this.#nextIncarnation();
    writeFileSync(ownerPath, `${process.pid}\n`);
  }

  putJob(job: JobRecord): void {
    this.#put({ kind: "job", job: job.id, ordinal: 0, partition: 0 }, { ...job, spec: { ...job.spec } });
  }

  jobs(): JobRecord[] {
    const rows = this.#selectKind.all(KINDS.job) as unknown as Row[];
    const jobs = this.#values("job", rows, null).map(({ value }) => value as unknown as JobRecord);
    return jobs.sort((a, b) => a.createdAt - b.createdAt);
  }

  putOutput(output: OutputRecord): void {
    const [, ordinal = "", partition = ""] = output.task.split("/");
    const key = { ordinal: Number(ordinal), partition: Number(partition) };
    const value = { ...output, chunks: output.chunks.map((chunk) => ({ ...chunk })) };
    this.#put({ kind: "output", job: jobOfTask(output.task), ...key }, value as Value);
  }

  outputs(job: JobId): OutputRecord[] {
    return this.#ofJob("output", job).map(({ key, value }) => ({
      ...(value as unknown as OutputRecord),
      task: taskKey(job, key.ordinal, key.partition),
    }));
  }

  putEntry(job: JobId, ordinal: number, entry: Value): void {
    this.#put({ kind: "entry", job, ordinal, partition: 0 }, entry);
  }

  entries(job: JobId): Map<number, Value> {
    return new Map(this.#ofJob("entry", job).map(({ key, value }) => [key.ordinal, value]));
  }

  deleteJob(job: JobId): void {
    this.#check();
    this.#deleted.add(job);
    for (const [text, { key }] of this.#written) if (key.job === job) this.#written.delete(text);
  }

  /** After a failure the writes are kept, and the next call tries them again. */
  sync(): Promise<void> {
    if (!this.#isWaiting() && this.#commit === null) return Promise.resolve();
    this.#commit ??= new Promise<void>((resolve, reject) => {
      setImmediate(() => {
        this.#commit = null;
        try {
          this.#flush();
          resolve();
        } catch (cause) {
          reject(storageError(cause, this.#path));
        }
      });
    });
    return this.#commit;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    try {
      await this.sync();
    } finally {
      this.#closed = true;
      rmSync(this.#ownerPath, { force: true });
      this.#db.close();
    }
  }

  #put(key: RecordKey, value: Value): void {
    this.#check();
    this.#written.set(keyText(key), { key, record: seal(key, value) });
  }

  #check(): void {
    if (this.#closed) throw new KindlingError("StorageClosed", `The journal ${this.#path} is closed`);
  }

  #flush(): void {
    if (!this.#isWaiting()) return;
    this.#db.exec("BEGIN IMMEDIATE");
    try {
      for (const job of this.#deleted) {
        for (const kind of [KINDS.job, KINDS.output, KINDS.entry]) this.#delete.run(kind, job);
      }
      for (const { key, record } of this.#written.values()) {
        this.#insert.run(KINDS[key.kind], key.job, key.ordinal, key.partition, record);
      }
      this.#db.exec("COMMIT");
    } catch (error) {
      // A full disk may have ended the transaction already.
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
      throw error;
    }
    this.#deleted.clear();
    this.#written.clear();
  }

  #isWaiting(): boolean {
    return this.#deleted.size > 0 || this.#written.size > 0;
  }

  #ofJob(kind: Kind, job: JobId): { readonly key: RecordKey; readonly value: Value }[] {
    const rows = this.#select.all(KINDS[kind], job) as unknown as Row[];
    return this.#values(kind, rows, job);
  }

  /** What is on disk of one job or all, with what waits for its commit on top, without damaged records. */
  #values(kind: Kind, rows: readonly Row[], job: JobId | null): { readonly key: RecordKey; readonly value: Value }[] {
    const found = new Map<string, KeyedRecord>();
    for (const row of rows) {
      const key = keyOf(kind, row);
      if (key.job !== "" && !this.#deleted.has(key.job)) found.set(keyText(key), { key, record: row.record });
    }
    for (const [text, waiting] of this.#written) {
      if (waiting.key.kind === kind && (job === null || waiting.key.job === job)) found.set(text, waiting);
    }
    return [...found.values()].flatMap(({ key, record }) => {
      const opened = unseal(key, record);
      return opened === null ? [] : [{ key, value: opened.value }];
    });
  }

  #nextIncarnation(): number {
    const key: RecordKey = { kind: "incarnation", job: "", ordinal: 0, partition: 0 };
    const [row] = this.#select.all(KINDS.incarnation, "") as unknown as Row[];
    const last = row === undefined ? { value: 0 } : unseal(key, row.record);
    if (last === null) {
      // Guessing the number could let results of an earlier life pass as this one's.
      throw new KindlingError("StorageCorrupt", "the record of its restarts does not match its checksum");
    }
    const incarnation = Number(last.value) + 1;
    this.#put(key, incarnation);
    this.#flush();
    return incarnation;
  }

  #verify(): string[] {
    const problems: string[] = [];
    for (const kind of ["job", "output", "entry"] as const) {
      for (const row of this.#selectKind.iterate(KINDS[kind]) as Iterable<unknown> as Iterable<Row>) {
        const key = keyOf(kind, row);
        if (unseal(key, row.record) !== null) continue;
        problems.push(`${this.#path}: ${describe(key)} does not match its checksum and is left out`);
      }
    }
    return problems;
  }
}

function keyOf(kind: Kind, row: Row): RecordKey {
  return { kind, job: row.job as JobId | "", ordinal: row.ordinal, partition: row.partition };
}

function describe(key: RecordKey): string {
  if (key.kind === "job") return `job ${key.job}`;
  if (key.kind === "output") return `the output of ${key.job}/${key.ordinal}/${key.partition} (it is computed again)`;
  return `step ${key.ordinal} of job ${key.job}`;
}

function prepareFile(db: DatabaseSync, path: string, options: SqliteJournalOptions): void {
  db.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
  // Takes the lock before anything is read.
  db.exec("BEGIN IMMEDIATE; COMMIT");
  const { user_version: format } = db.prepare("PRAGMA user_version").get() as { user_version: number };
  if (format !== 0 && format !== FORMAT) {
    throw new KindlingError("StorageFailed", `${path} has format ${format}, this version reads format ${FORMAT}`);
  }
  if (format === FORMAT) {
    const [result] = db.prepare("PRAGMA integrity_check(1)").all() as { integrity_check: string }[];
    if (result?.integrity_check !== "ok") {
      throw new KindlingError("StorageCorrupt", result?.integrity_check ?? "it cannot be checked");
    }
  }
  db.exec(`
    CREATE TABLE IF NOT EXISTS records (
      kind INTEGER NOT NULL, job TEXT NOT NULL, ordinal INTEGER NOT NULL, partition INTEGER NOT NULL,
      record BLOB NOT NULL,
      PRIMARY KEY (kind, job, ordinal, partition)
    ) STRICT;
    PRAGMA user_version = ${FORMAT}`);
  if (options.maxBytes !== undefined) {
    const { page_size: pageSize } = db.prepare("PRAGMA page_size").get() as { page_size: number };
    db.exec(`PRAGMA max_page_count = ${Math.max(1, Math.floor(options.maxBytes / pageSize))}`);
  }
}

function openError(cause: unknown, dir: string, path: string): KindlingError {
  const { errcode, code } = cause as { readonly errcode?: number; readonly code?: string };
  const primary = (errcode ?? 0) & 0xff;
  if (primary === SQLITE_BUSY) {
    return new KindlingError(
      "StorageLocked",
      `The data directory ${dir} is in use by ${ownerOf(dir)}: stop it, or choose another with --data-dir`,
      { cause },
    );
  }
  if (SQLITE_CORRUPT.has(primary) || code === "StorageCorrupt") {
    return new KindlingError(
      "StorageCorrupt",
      `${path} is damaged (${(cause as Error).message}): move it away to start with an empty journal`,
      { cause },
    );
  }
  return storageError(cause, path);
}

function ownerOf(dir: string): string {
  try {
    const pid = readFileSync(join(dir, OWNER), "utf8").trim();
    return /^\d+$/.test(pid) ? `process ${pid}` : "another process";
  } catch {
    return "another process";
  }
}
