import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { dataWeather } from "./data.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kindling-data-"));
  vi.spyOn(process.stdout, "write").mockReturnValue(true);
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

const ONE_DAY = { lat: "41.88", lon: "-87.63", from: "20200301", to: "20200301" };

/** A service that gives every request this answer. */
async function withService<T>(status: number, answer: unknown, use: (baseUrl: string) => Promise<T>): Promise<T> {
  const server = createServer((_, response) => void response.writeHead(status).end(JSON.stringify(answer)));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    return await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

test("writes a place's weather as one file", async () => {
  const out = join(folder, "weather.csv");
  const parameter = Object.fromEntries(["T2M", "RH2M", "WS2M", "PRECTOTCORR"].map((name) => [name, { "20200301": 5 }]));
  await withService(200, { properties: { parameter } }, (baseUrl) =>
    dataWeather({ out, seed: "1", source: "nasa-power", baseUrl, ...ONE_DAY }),
  );
  expect(readFileSync(out, "utf8")).toBe("date,temp,wind,rainfall,humidity\n20200301,5,5,5,5\n");
  expect(readdirSync(folder)).toEqual(["weather.csv"]);
});

test("a request that is refused leaves the file as it was, and nothing beside it", async () => {
  const out = join(folder, "weather.csv");
  writeFileSync(out, "before");
  const refused = withService(400, { error: true, reason: "no such place" }, (baseUrl) =>
    dataWeather({ out, seed: "1", source: "open-meteo", baseUrl, ...ONE_DAY }),
  );
  await expect(refused).rejects.toThrow("Open-Meteo refuses the request: 400 no such place");
  expect(readdirSync(folder)).toEqual(["weather.csv"]);
  expect(readFileSync(out, "utf8")).toBe("before");
});

test("synthetic weather goes to a folder, and is of no real place", async () => {
  await dataWeather({ out: join(folder, "new"), seed: "1", source: "synthetic" });
  expect(readdirSync(join(folder, "new")).sort()).toEqual(["actual.csv", "future.csv", "observed.csv"]);
  await expect(dataWeather({ out: folder, seed: "1", source: "synthetic", lat: "41" })).rejects.toThrow(
    "--lat needs a --source of real weather: nasa-power, open-meteo",
  );
});
