/** Records whose keys all have the same few bytes, which the WASM kernel counts without a hash: against the reference. */
import { expect, test } from "vitest";
import { philoxRng } from "../../shared/rng.ts";
import { failureOf, runBoth, utf8 } from "./testing.ts";

type Rng = ReturnType<typeof philoxRng>;

const ALPHABETS = [
  "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
  "01",
  "a-_ \r'9",
  "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
];

/** What may stand among plain records. */
const ODD_RECORDS = [
  '"AB",5\n',
  '"A""",5\n',
  '"A\nB",7\n',
  "ABC,7\r\n",
  "\n",
  "\r\n",
  ",3\n",
  ",\n",
  "A,,5\n",
  "AAA,\n",
  "AAA,123\n",
  "AAA,1234567\n",
  "AAA,99999999\n",
  "AAA,100000000\n",
  "AAA,9223372036854775807\nAAA,-9223372036854775807\n",
  "AAA,9223372036854775807\nAAA,77\nAAA,-9223372036854775807\n",
  "AAA,9223372036854775808\n",
  "AAA,-1\n",
  "AAA,+1\n",
  "AAA,-12\n",
  "AAA,1 \n",
  "AAA,x\n",
  "AAA,1x\n",
  "AAA,x1\n",
  "AAA,1,2\n",
  "A\0A,1\n",
  "AA\0,1\n",
  'A"A,1\n',
  "AAAAAAAAA,1\n",
  "äö,1\n",
  "€,1\n",
  "\xff\xfe,1\n",
  `${"k".repeat(70)},1\n`,
  "AAA\n",
  "AAA\n,1\n",
];

/** Plain records of keys of one length, with an odd one now and then. */
function file(rng: Rng, length: number, letters: string, records: number, oddEvery: number): Uint8Array {
  const parts = ["key,value\n"];
  for (let record = 0; record < records; record++) {
    if (oddEvery > 0 && rng.below(oddEvery) === 0) parts.push(ODD_RECORDS[rng.below(ODD_RECORDS.length)] ?? "");
    const own = oddEvery > 0 && rng.below(4 * oddEvery) === 0 ? 1 + rng.below(9) : length;
    const key = Array.from({ length: own }, () => letters[rng.below(letters.length)]).join("");
    parts.push(`${key},${rng.below(rng.below(8) === 0 ? 1000 : 100)}\n`);
  }
  // Latin-1, so that there are bytes which are no UTF-8.
  return rng.below(2) === 0 ? utf8(parts.join("")) : Uint8Array.from(parts.join(""), (letter) => letter.charCodeAt(0));
}

test.each(Array.from({ length: 32 }, (_, seed) => seed))("few short keys among odd records, file %i", async (seed) => {
  const rng = philoxRng(seed, 1);
  const letters = ALPHABETS[seed % ALPHABETS.length] ?? "";
  const csv = file(rng, 1 + (seed % 5), letters, 2000, [0, 4, 40, 400][(seed >> 2) % 4] ?? 0);
  for (const partitions of [1, 7]) await runBoth({ onBadRow: "skip", partitions, delimiter: "," }, csv);
});

test("keys change their length and letters within a file", async () => {
  const rng = philoxRng(5, 2);
  const stretches = Array.from({ length: 12 }, (_, index) => {
    const letters = ALPHABETS[index % ALPHABETS.length] ?? "";
    return file(rng, 1 + rng.below(4), letters, 400, 0).subarray("key,value\n".length);
  });
  const csv = Buffer.concat([utf8("key,value\n"), ...stretches]);
  for (const partitions of [1, 3]) await runBoth({ partitions }, csv);
});

test("more pairs of bytes than have numbers", { timeout: 60_000 }, async () => {
  const letters = ALPHABETS[3] ?? "";
  for (const length of [3, 4]) {
    const rows = Array.from({ length: 40_000 }, (_, index) => {
      const key = Array.from({ length }, (__, at) => letters[Math.floor((index * 7919) / 62 ** at) % 62]).join("");
      return `${key},${index % 100}\n`;
    });
    const { metrics } = await runBoth({ header: false, partitions: 1 }, utf8(rows.join("")));
    expect(metrics).toMatchObject({ tuples: 40_000 });
  }
});

test("a file of several reads, whose records lie across their ends", { timeout: 60_000 }, async () => {
  const rng = philoxRng(9, 3);
  for (const length of [2, 3]) {
    await runBoth({ partitions: 2, onBadRow: "skip" }, file(rng, length, ALPHABETS[0] ?? "", 60_000, 9000));
  }
});

test("sums that overflow are set aside as the reference does", async () => {
  const most = 2n ** 63n - 1n;
  const plain = "AAA,9\nAAB,99\n".repeat(100);
  const csv = utf8(
    `key,value\n${plain}AAA,${most - 950n}\n${plain}AAA,-5\nAAB,-${most}\n${plain}AAA,-${most - 10n}\n${plain}`,
  );
  await runBoth({ partitions: 1 }, csv);
});

test("a bad row is found where it is, also behind a block's end", { timeout: 60_000 }, async () => {
  for (const bad of ["AAA,x\n", "AAA,1,2\n", "AA\0,1\n", '"AA"A,1\n']) {
    for (let before = 0; before < 24; before++) {
      const rows = `key,value\n${"ABC,1\n".repeat(500 + before)}${bad}${"ABC,1\n".repeat(500)}`;
      expect(await failureOf({ partitions: 1 }, utf8(rows))).toContain(`row ${502 + before}`);
    }
  }
});

test("a digit or a letter as delimiter", async () => {
  for (const delimiter of ["5", "A", " ", ";", "|"]) {
    const rows = Array.from(
      { length: 300 },
      (_, index) => `k${"BCD"[index % 3]}${delimiter}${[7, 1, 42, 9][index % 4]}\n`,
    );
    await runBoth({ header: false, delimiter, partitions: 1 }, utf8(rows.join("")));
  }
});
