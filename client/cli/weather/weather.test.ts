import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import type { Clock } from "../../../shared/clock.ts";
import { type DownloadOptions, downloadWeather } from "./download.ts";

type Reply = (request: IncomingMessage, response: ServerResponse) => void;

const json =
  (status: number, body: unknown, headers: Record<string, string> = {}): Reply =>
  (_, response) => {
    response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
  };

const hangUp: Reply = (request) => void request.socket.destroy();

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

/** A server that gives these answers in turn, and what it was asked. */
async function service(...replies: readonly Reply[]): Promise<{ baseUrl: string; urls: string[] }> {
  const urls: string[] = [];
  const server = createServer((request, response) => {
    const reply = replies[urls.length];
    urls.push(request.url ?? "");
    if (reply === undefined) response.writeHead(500).end();
    else reply(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  stops.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(() => resolve()));
  });
  return { baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, urls };
}

/** Time passes at once; what was waited for is written down, in seconds. */
function impatientClock(): { clock: Clock; waits: number[] } {
  const waits: number[] = [];
  const after: Clock["after"] = (ms, callback) => {
    waits.push(ms / 1000);
    queueMicrotask(callback);
    return () => undefined;
  };
  return { clock: { now: () => 0, after }, waits };
}

const chicago = { lat: "41.88", lon: "-87.63", from: "20200229", to: "2020-03-02" };

async function download(options: DownloadOptions): Promise<{ csv: string; waits: number[]; told: string[] }> {
  const { clock, waits } = impatientClock();
  const told: string[] = [];
  const signal = new AbortController().signal;
  const csv = await downloadWeather(options, { clock, signal, tell: (message) => void told.push(message) });
  return { csv, waits, told };
}

/** As the services document their answers. */
const nasaAnswer = (values: Record<string, Record<string, number>>) => ({
  type: "Feature",
  geometry: { type: "Point", coordinates: [-87.63, 41.88, 190.11] },
  properties: { parameter: values },
  header: {
    title: "NASA/POWER Source Native Resolution Daily Data",
    api: { version: "v2.6.5", name: "POWER Daily API" },
    sources: ["MERRA2"],
    fill_value: -999.0,
    time_standard: "LST",
    start: "20200229",
    end: "20200302",
  },
  messages: [],
  parameters: {
    T2M: { units: "C", longname: "Temperature at 2 Meters" },
    RH2M: { units: "%", longname: "Relative Humidity at 2 Meters" },
    WS2M: { units: "m/s", longname: "Wind Speed at 2 Meters" },
    PRECTOTCORR: { units: "mm/day", longname: "Precipitation Corrected" },
  },
  times: { data: 0.9, process: 0.04 },
});
const nasaDays = nasaAnswer({
  T2M: { "20200229": -2.31, "20200301": 3.4, "20200302": 6.02 },
  RH2M: { "20200229": 71.2, "20200301": 66.75, "20200302": -999 },
  WS2M: { "20200229": 3.1, "20200301": 7.26, "20200302": 4 },
  PRECTOTCORR: { "20200229": 0, "20200301": -999.0, "20200302": 1.55 },
});
const meteoDays = {
  latitude: 41.86292,
  longitude: -87.64877,
  generationtime_ms: 0.31,
  utc_offset_seconds: -18000,
  timezone: "America/Chicago",
  timezone_abbreviation: "GMT-5",
  elevation: 179,
  daily_units: {
    time: "iso8601",
    temperature_2m_mean: "°C",
    relative_humidity_2m_mean: "%",
    wind_speed_10m_max: "m/s",
    precipitation_sum: "mm",
  },
  daily: {
    time: ["2020-02-29", "2020-03-01", "2020-03-02"],
    temperature_2m_mean: [-1.8, 4.1, null],
    relative_humidity_2m_mean: [70, 62, 75],
    wind_speed_10m_max: [5.2, 9.91, 6],
    precipitation_sum: [0, 0, 1.4],
  },
};

test("asks NASA POWER as it documents it; −999 is missing", async () => {
  const { baseUrl, urls } = await service(json(200, nasaDays));
  const { csv, told } = await download({ source: "nasa-power", baseUrl, ...chicago });
  expect(urls).toEqual([
    "/api/temporal/daily/point?parameters=T2M,RH2M,WS2M,PRECTOTCORR&community=RE&longitude=-87.63&latitude=41.88&start=20200229&end=20200302&format=JSON",
  ]);
  expect(csv).toBe(
    "date,temp,wind,rainfall,humidity\n20200229,-2.31,3.1,0,71.2\n20200301,3.4,7.26,,66.75\n20200302,6.02,4,1.55,\n",
  );
  expect(told).toEqual(["NASA POWER: humidity is missing on 1 of the days; their cells are empty"]);
});

test("asks Open-Meteo as it documents it, for wind in m/s; null is missing, and so is a day that is not there", async () => {
  const { baseUrl, urls } = await service(json(200, meteoDays));
  const { csv } = await download({ source: "open-meteo", baseUrl, ...chicago, to: "20200303" });
  expect(urls).toEqual([
    "/v1/archive?latitude=41.88&longitude=-87.63&start_date=2020-02-29&end_date=2020-03-03&daily=temperature_2m_mean,relative_humidity_2m_mean,wind_speed_10m_max,precipitation_sum&timezone=auto&wind_speed_unit=ms",
  ]);
  expect(csv).toBe(
    "date,temp,wind,rainfall,humidity\n20200229,-1.8,5.2,0,70\n20200301,4.1,9.91,0,62\n20200302,,6,1.4,75\n20200303,,,,\n",
  );
});

test("waits as long as the service asks, else longer each time, and goes on", async () => {
  const busy = { error: true, reason: "Minutely API request limit exceeded. Please try again in one minute." };
  const { baseUrl } = await service(
    json(429, busy),
    json(503, {}, { "retry-after": "7" }),
    hangUp,
    json(429, busy, { date: "Sun, 01 Mar 2020 00:00:00 GMT", "retry-after": "Sun, 01 Mar 2020 00:01:00 GMT" }),
    json(200, meteoDays),
  );
  const { csv, waits, told } = await download({ source: "open-meteo", baseUrl, ...chicago });
  expect(csv.split("\n").length).toBe(5);
  expect(waits).toEqual([1, 7, 4, 60]);
  expect(told[0]).toBe(`Open-Meteo: 429 ${busy.reason}; trying again in 1 s`);
});

test("gives up after five tries, and at once when it is to wait for hours", async () => {
  const down = await service(...Array.from({ length: 5 }, () => json(502, {})));
  await expect(download({ source: "nasa-power", baseUrl: down.baseUrl, ...chicago })).rejects.toThrow(
    "NASA POWER cannot be reached: 502",
  );
  expect(down.urls.length).toBe(5);
  const limited = await service(json(429, { error: true, reason: "Daily limit" }, { "retry-after": "7200" }));
  await expect(download({ source: "open-meteo", baseUrl: limited.baseUrl, ...chicago })).rejects.toThrow(
    "429 Daily limit; it asks to wait 120 minutes",
  );
  expect(limited.urls.length).toBe(1);
});

test("repeats no request that is refused, and says what the service says", async () => {
  const nasa = await service(json(422, { messages: ["Please supply a valid end date."] }));
  await expect(download({ source: "nasa-power", baseUrl: nasa.baseUrl, ...chicago })).rejects.toThrow(
    "NASA POWER refuses the request: 422 Please supply a valid end date.",
  );
  const meteo = await service(json(400, { error: true, reason: "Parameter 'end_date' is out of allowed range" }));
  await expect(download({ source: "open-meteo", baseUrl: meteo.baseUrl, ...chicago })).rejects.toThrow(
    "Open-Meteo refuses the request: 400 Parameter 'end_date' is out of allowed range",
  );
  expect([nasa.urls.length, meteo.urls.length]).toEqual([1, 1]);
});

test("decades are asked for ten years at a time, each day once", async () => {
  const { baseUrl, urls } = await service(json(200, nasaDays), json(200, nasaDays), json(200, nasaDays));
  const { csv } = await download({ source: "nasa-power", baseUrl, ...chicago, from: "20000229", to: "20200302" });
  expect(urls.map((url) => url.replace(/.*(start=\d+&end=\d+).*/, "$1"))).toEqual([
    "start=20000229&end=20100228",
    "start=20100301&end=20200229",
    "start=20200301&end=20200302",
  ]);
  expect(csv.split("\n").length).toBe(1 + 7308 + 1);
});

test.each([
  ["nasa-power", { ...nasaDays, properties: {} }, "NASA POWER answered in another format"],
  ["nasa-power", nasaAnswer({ T2M: { "20200229": 1 } }), "RH2M is missing"],
  ["nasa-power", { ...nasaDays, parameters: { T2M: { units: "K", longname: "" } } }, "T2M comes in K, not in C"],
  [
    "open-meteo",
    { ...meteoDays, daily_units: { ...meteoDays.daily_units, wind_speed_10m_max: "km/h" } },
    "in km/h, not in m/s",
  ],
  [
    "open-meteo",
    { ...meteoDays, daily: { ...meteoDays.daily, precipitation_sum: [1] } },
    "precipitation_sum does not have a value for each day",
  ],
  ["open-meteo", { ...meteoDays, daily: { ...meteoDays.daily, time: ["a", "b", "c"] } }, "a is no date"],
  ["nasa-power", nasaAnswer({ T2M: {}, RH2M: {}, WS2M: {}, PRECTOTCORR: {} }), "has no value in these days"],
])("refuses an answer of %s that is not as documented", async (source, answer, message) => {
  const { baseUrl } = await service(json(200, answer));
  await expect(download({ source, baseUrl, ...chicago })).rejects.toThrow(message);
});

test.each([
  [{ source: "noaa" }, '--source takes one of synthetic, nasa-power, open-meteo, not "noaa"'],
  [{ lat: "91" }, '--lat takes degrees from -90 to 90, not "91"'],
  [{ lon: undefined }, "--lon takes degrees from -180 to 180"],
  [{ from: "2020-02-30" }, '--from takes a date, YYYYMMDD or YYYY-MM-DD, not "2020-02-30"'],
  [{ from: "20200303" }, "--from 20200303 is after --to 2020-03-02"],
  [{ from: "19800101" }, "--from: NASA POWER begins on 19810101"],
])("refuses the options %o", async (options, message) => {
  await expect(
    download({ source: "nasa-power", baseUrl: "http://127.0.0.1:9", ...chicago, ...options }),
  ).rejects.toThrow(message);
});

test("an interruption ends a wait", async () => {
  const { baseUrl } = await service(json(429, {}));
  const interrupt = new AbortController();
  const clock: Clock = { now: () => 0, after: () => () => undefined };
  const told = (): void => interrupt.abort(new Error("interrupted"));
  const options = { source: "nasa-power", baseUrl, ...chicago };
  await expect(downloadWeather(options, { clock, signal: interrupt.signal, tell: told })).rejects.toThrow(
    "interrupted",
  );
});
