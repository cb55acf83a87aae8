import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { OutFiles } from "./out-files.ts";
import { writeWhole } from "./part-file.ts";

async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), "kindling-out-"));
  onTestFinished(() => rm(made, { recursive: true }));
  return made;
}
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

async function fill(files: OutFiles, artifact: string, text = artifact): Promise<void> {
  const sink = await files.open(artifact);
  await sink.write(bytes(text));
  await sink.finish();
}

test("results appear together, when all is there", async () => {
  const dir = await folder();
  const files = new OutFiles(join(dir, "r.csv"), new Map([["model", join(dir, "m.json")]]));
  await fill(files, "model.json");
  await fill(files, "result.csv");
  await fill(files, "more.csv");
  expect((await readdir(dir)).filter((name) => !name.endsWith(".part"))).toEqual([]);
  await files.publish();
  expect((await readdir(dir)).sort()).toEqual(["m.json", "r.csv"]);
  expect(await readFile(join(dir, "r.csv"), "utf8")).toBe("result.csv");
  expect(await readFile(join(dir, "m.json"), "utf8")).toBe("model.json");
  expect(["model.json", "result.csv", "more.csv"].map((name) => files.pathOf(name))).toEqual([
    join(dir, "m.json"),
    join(dir, "r.csv"),
    null,
  ]);
});

test("a run that fails leaves nothing behind, and what was there before", async () => {
  const dir = await folder();
  await writeFile(join(dir, "r.csv"), "before");
  const files = new OutFiles(join(dir, "r.csv"), new Map());
  await (await files.open("r")).write(bytes("half"));
  await files.abandon();
  expect(await readdir(dir)).toEqual(["r.csv"]);
  expect(await readFile(join(dir, "r.csv"), "utf8")).toBe("before");
});

test("a file that the workload made nothing for is an error, and nothing appears", async () => {
  const dir = await folder();
  const files = new OutFiles(join(dir, "r.csv"), new Map([["model", join(dir, "m.json")]]));
  await fill(files, "result.csv");
  await expect(files.publish()).rejects.toMatchObject({
    code: "NoArtifact",
    message: expect.stringMatching(/m\.json/) as string,
  });
  await files.abandon();
  expect(await readdir(dir)).toEqual([]);
});

test("targets that cannot be written are found before the run", async () => {
  const dir = await folder();
  const check = (path: string): Promise<void> => new OutFiles(path, new Map()).check();
  await check(join(dir, "new.csv"));
  await check("/dev/null");
  await expect(check(join(dir, "gone", "r.csv"))).rejects.toMatchObject({
    code: "CannotWrite",
    message: expect.stringMatching(/r\.csv/) as string,
  });
  await expect(check(dir)).rejects.toMatchObject({
    code: "CannotWrite",
    message: expect.stringMatching(/is a folder/) as string,
  });
  await expect(check("")).rejects.toMatchObject({ code: "BadUsage" });
  const twice = new OutFiles(join(dir, "a"), new Map([["model", join(dir, "x/../a")]]));
  await expect(twice.check()).rejects.toMatchObject({ code: "BadUsage" });
});

test("no result may take the place of an input, however it is spelled", async () => {
  const dir = await folder();
  const input = join(dir, "in.csv");
  await mkdir(join(dir, "real"));
  for (const path of [input, join(dir, "real/in.csv")]) await writeFile(path, "precious");
  await symlink(input, join(dir, "link.csv"));
  await symlink(join(dir, "real"), join(dir, "linked"));
  const refusal = { code: "BadUsage", message: expect.stringMatching(/input files/) as string };
  for (const path of [input, `${dir}/./in.csv`, `${dir}/real/../in.csv`, join(dir, "link.csv")]) {
    await expect(new OutFiles(path, new Map()).check(["-", "none", input])).rejects.toMatchObject(refusal);
    await expect(new OutFiles(null, new Map([["model", path]])).check([input])).rejects.toMatchObject(refusal);
    await expect(new OutFiles(null, new Map(), path).check([input])).rejects.toMatchObject(refusal);
  }
  await expect(new OutFiles(input, new Map()).check([join(dir, "link.csv")])).rejects.toMatchObject(refusal);
  await expect(
    new OutFiles(join(dir, "linked/in.csv"), new Map()).check([join(dir, "real/in.csv")]),
  ).rejects.toMatchObject(refusal);
  await new OutFiles(join(dir, "out.csv"), new Map()).check([input]);
  await new OutFiles("/dev/null", new Map()).check(["/dev/null"]);
  const twice = new OutFiles(join(dir, "real/new"), new Map([["model", join(dir, "linked/new")]]));
  await expect(twice.check()).rejects.toMatchObject({ code: "BadUsage" });
});

test("a device is written and not replaced; a link is followed", async () => {
  const dir = await folder();
  await writeWhole("/dev/null", [bytes("gone")]);
  expect((await stat("/dev/null")).isCharacterDevice()).toBe(true);
  await mkdir(join(dir, "real"));
  await writeFile(join(dir, "real/file"), "old");
  await symlink(join(dir, "real/file"), join(dir, "link"));
  await writeWhole(join(dir, "link"), [bytes("n"), bytes("ew")]);
  expect(await readFile(join(dir, "real/file"), "utf8")).toBe("new");
  expect((await readdir(dir)).sort()).toEqual(["link", "real"]);
});

test("content that fails half-way leaves nothing", async () => {
  const dir = await folder();
  const content = function* (): Iterable<Uint8Array> {
    yield bytes("half");
    throw new Error("interrupted");
  };
  await expect(writeWhole(join(dir, "r.csv"), content())).rejects.toThrow("interrupted");
  expect(await readdir(dir)).toEqual([]);
});

test("a report's data is kept in memory, and is not the first result", async () => {
  const dir = await folder();
  const files = new OutFiles(join(dir, "r.csv"), new Map(), join(dir, "r.html"));
  await files.check();
  expect(files.reportData()).toBeNull();
  await fill(files, "report.json", '{"a":"é"}');
  await fill(files, "result.csv");
  await files.publish();
  expect(files.reportData()).toBe('{"a":"é"}');
  expect(await readdir(dir)).toEqual(["r.csv"]);
  const clash = new OutFiles(join(dir, "r.csv"), new Map(), join(dir, "r.csv"));
  await expect(clash.check()).rejects.toMatchObject({ code: "BadUsage" });
  await fill(new OutFiles(null, new Map()), "report.json");
});
