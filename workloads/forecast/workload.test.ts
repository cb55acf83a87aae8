import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { runDirect } from "../../shared/testing/direct-job.ts";
import workload from "./workload.ts";
import { syntheticWeather } from "./synthetic.ts";

test("x", async () => {
  const d = "/work/shared/data/";
  const files = { o: readFileSync(d + "observed_1.csv"), f: readFileSync(d + "forecasted_1.csv") };
  let t = performance.now();
  const r = await runDirect(workload, { observed: "o", future: "f" }, { backend: "wasm", files });
  console.log(
    performance.now() - t,
    JSON.stringify(r.metrics, null, 1),
    [...r.artifacts].map(([n, b]) => [n, b.length]),
  );
  console.log(new TextDecoder().decode(r.artifacts.get("result.csv")).slice(0, 200));
  console.log(new TextDecoder().decode(r.artifacts.get("model.json")).slice(0, 900));
  const w = syntheticWeather(1);
  const enc = new TextEncoder();
  console.log(w.observed.slice(0, 300), w.observed.length);
  t = performance.now();
  const s = await runDirect(
    workload,
    { observed: "o", future: "f", actual: "a" },
    { backend: "wasm", files: { o: enc.encode(w.observed), f: enc.encode(w.future), a: enc.encode(w.actual) } },
  );
  console.log(performance.now() - t, JSON.stringify(s.metrics, null, 1));
}, 60000);
