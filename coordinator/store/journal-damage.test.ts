import { copyFile, cp, mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { KindlingError } from "../../shared/errors.ts";
import { jobId } from "../../shared/ids.ts";
import { philoxRng } from "../../shared/rng.ts";
import { aJob, anOutput } from "./journal.contract.ts";
import { SqliteJournal } from "./sqlite-journal.ts";

/** Commits of the journal that gets damaged; commit `n` writes entry `n` and the outputs (n, 0) and (n, 1). */
const COMMITS = 30;
const JOB = jobId("a");
const FILES = ["journal.sqlite", "journal.sqlite-wal"] as const;

let dir: string;
/** Length of the write-ahead log after each commit, the state before the first one at index 0. */
const lengths: number[] = [];

/** A copy of the journal as it lay on disk while it was open: what a power cut leaves. */
async function snapshot(name: string): Promise<string> {
  const to = await mkdtemp(join(dir, name));
  for (const file of FILES) await copyFile(join(dir, "cut", file), join(to, file));
  return to;
}

/** Which commits a journal holds; each must be there as a whole. */
function commitsIn(journal: SqliteJournal): number[] {
  const entries = journal.entries(JOB);
  const outputs = new Map(journal.outputs(JOB).map((output) => [output.task, output]));
  expect(outputs.size).toBe(2 * entries.size);
  for (const [commit, entry] of entries) {
    expect(entry).toEqual({ commit });
    for (const partition of [0, 1]) {
      const expected = anOutput("a", commit, partition);
      expect(outputs.get(expected.task)).toEqual(expected);
    }
  }
  return [...entries.keys()];
}

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "kindling-damage-"));
  const { journal } = await SqliteJournal.open(join(dir, "live"));
  const wal = join(dir, "live", FILES[1]);
  journal.putJob(aJob("a"));
  await journal.sync();
  for (let commit = 0; commit < COMMITS; commit++) {
    lengths.push((await readFile(wal)).byteLength);
    journal.putEntry(JOB, commit, { commit });
    journal.putOutput(anOutput("a", commit, 0));
    journal.putOutput(anOutput("a", commit, 1));
    await journal.sync();
  }
  lengths.push((await readFile(wal)).byteLength);
  await cp(join(dir, "live"), join(dir, "cut"), { recursive: true });
  await journal.close();
});

afterAll(() => rm(dir, { recursive: true, force: true }));

test("a log cut at any byte holds every commit that was synced before that byte, and no part of a later one", async () => {
  const rng = philoxRng(7, 0);
  const [first = 0, last = 0] = [lengths[0], lengths.at(-1)];
  for (let round = 0; round < 120; round++) {
    const at = first + rng.below(last - first + 1);
    const copy = await snapshot("cut-");
    await truncate(join(copy, FILES[1]), at);
    const { journal, problems } = await SqliteJournal.open(copy);
    const synced = lengths.filter((length) => length <= at).length - 1;
    expect(commitsIn(journal), `cut at ${at}`).toEqual(Array.from({ length: synced }, (_, commit) => commit));
    expect(journal.jobs()).toEqual([aJob("a")]);
    expect(problems).toEqual([]);
    await journal.close();
  }
});

test("1,000 flipped bits: never a wrong record; damage is left out and reported, or the start is refused", async () => {
  const rng = philoxRng(8, 0);
  const whole = await snapshot("closed-");
  await (await SqliteJournal.open(whole)).journal.close();
  const intact = await readFile(join(whole, FILES[0]));
  const seen = { refused: 0, reported: 0, unharmed: 0 };
  const copy = await mkdtemp(join(dir, "flip-"));
  for (let round = 0; round < 1000; round++) {
    const damaged = Uint8Array.from(intact);
    const at = rng.below(damaged.length);
    damaged[at] = (damaged[at] ?? 0) ^ (1 << rng.below(8));
    await rm(join(copy, FILES[1]), { force: true });
    await writeFile(join(copy, FILES[0]), damaged);
    seen[await outcomeOf(copy)]++;
  }
  // Each way out was taken, so that the test tests each.
  expect(seen.refused).toBeGreaterThan(0);
  expect(seen.reported).toBeGreaterThan(0);
  expect(seen.unharmed).toBeGreaterThan(0);
}, 60_000);

async function outcomeOf(copy: string): Promise<"refused" | "reported" | "unharmed"> {
  let opened: Awaited<ReturnType<typeof SqliteJournal.open>>;
  try {
    opened = await SqliteJournal.open(copy);
  } catch (error) {
    expect(error).toBeInstanceOf(KindlingError);
    expect((error as KindlingError).message).toContain(copy);
    return "refused";
  }
  const { journal, problems } = opened;
  for (const job of journal.jobs()) expect(job).toEqual(aJob("a"));
  const entries = journal.entries(JOB);
  const outputs = journal.outputs(JOB);
  for (const [commit, entry] of entries) expect(entry).toEqual({ commit });
  for (const output of outputs) {
    const [, ordinal, partition] = output.task.split("/").map(Number);
    expect(output).toEqual(anOutput("a", ordinal ?? -1, partition ?? -1));
  }
  const missing = 1 + 3 * COMMITS - journal.jobs().length - entries.size - outputs.length;
  expect(problems).toHaveLength(missing);
  await journal.close();
  return missing > 0 ? "reported" : "unharmed";
}
