import { expect, test } from "vitest";
import { checkHost, checkOrigin, type Hosting, ownAddresses } from "./guard.ts";

const loopback: Hosting = { host: "127.0.0.1", publicUrl: null, secure: false };
const everywhere: Hosting = { host: "0.0.0.0", publicUrl: "https://kindling.example:8443", secure: false };
const addresses = (): string[] => ["192.168.1.5", "[fe80::1]"];

test.each([
  ["127.0.0.1:8080", loopback],
  ["LOCALHOST:1", loopback],
  ["[::1]:8080", loopback],
  ["192.168.1.5:8080", everywhere],
  ["[fe80::1]:8080", everywhere],
  ["kindling.example", everywhere],
  ["box", { ...loopback, host: "box" }],
  ["[fd00::5]:80", { ...loopback, host: "fd00::5" }],
])("%s is our own", (header, hosting) => {
  expect(checkHost(header, hosting, addresses)).toBe(new URL(`http://${header}`).host);
});

test.each([
  [undefined, loopback],
  ["", loopback],
  ["192.168.1.5:8080", loopback],
  ["192.168.1.6:8080", everywhere],
  ["box", everywhere],
  ["kindling.example.evil.example", everywhere],
  ["localhost:8080/evil", everywhere],
  ["user@localhost", everywhere],
  ["localhost:99999", loopback],
])("%s is foreign", (header, hosting) => {
  expect(() => checkHost(header, hosting, addresses)).toThrow(expect.objectContaining({ code: "ForeignHost" }));
});

test("an origin is ours if scheme, host and port are", () => {
  const ok = (origin: string | undefined, hosting: Hosting) => checkOrigin(origin, "localhost:8080", hosting);
  expect(() => ok(undefined, loopback)).not.toThrow();
  expect(() => ok("http://localhost:8080", loopback)).not.toThrow();
  expect(() => ok("https://localhost:8080", { ...loopback, secure: true })).not.toThrow();
  expect(() => ok("https://kindling.example:8443", everywhere)).not.toThrow();
  for (const origin of ["https://localhost:8080", "http://localhost", "http://127.0.0.1:8080", "null", "junk"]) {
    expect(() => ok(origin, everywhere), origin).toThrow(expect.objectContaining({ code: "ForeignOrigin" }));
  }
});

test("this machine has a loopback address", () => {
  expect(ownAddresses()).toContain("127.0.0.1");
});
