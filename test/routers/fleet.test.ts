/** The configuration of docs/operations.md on a real Crossbar.io: a fleet's devices come in, and no further than they may. */
import { execFile, execFileSync } from "node:child_process";
import { createPublicKey } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { programOf } from "../../scripts/routers.mjs";
import { publicKeyOf } from "../../src/services/wampAuth.ts";
import { freePort } from "../../src/studio/registry.ts";
import { type RouterProcess, startRouterProcess } from "../../src/studio/routerProcess.ts";
import { type Studio, startStudio } from "../../src/studio/studio.ts";
import { makeCertificates } from "../support/certificates.ts";
import { dial } from "../support/link.ts";

const folder = mkdtempSync(join(tmpdir(), "rgf-"));
const { ca, server } = makeCertificates();
let router: RouterProcess;
let studio: Studio;
let url = "";
let inside = "";
const closed: (() => unknown)[] = [];

beforeAll(async () => {
  const page = readFileSync("docs/operations.md", "utf8");
  const [, text = ""] = /```json\n([\s\S]*?)```/.exec(page) ?? [];
  const [plain, safe] = [await freePort(), await freePort()];
  execFileSync("openssl", ["genpkey", "-algorithm", "ed25519", "-out", join(folder, "backend.key")], { stdio: "pipe" });
  const key = readFileSync(join(folder, "backend.key"), "utf8");
  const config = text
    .replace("<public key of the back end>", publicKeyOf(key))
    .replace("8080", String(plain))
    .replace("8443", String(safe));
  writeFileSync(join(folder, "config.json"), config);
  writeFileSync(join(folder, "ca.pem"), ca.cert);
  writeFileSync(join(folder, "server.pem"), server.cert);
  writeFileSync(join(folder, "server.key"), server.key);
  const args = ["start", "--cbdir", folder, "--loglevel", "info", "--logformat", "none", "--color", "false"];
  inside = `ws://127.0.0.1:${plain}/`;
  const program = programOf("crossbar");
  router = await startRouterProcess({ name: "Crossbar.io", program, args, folder, url: inside, realm: "realm1" });
  url = `wss://localhost:${safe}/`;
  studio = await startStudio({
    folder: join(folder, "studio"),
    registryHost: "127.0.0.1:5000",
    router: { kind: "url", url, inside, key },
    onEvent: () => {},
  });
});

afterAll(async () => {
  for (const each of closed) each();
  await studio?.stop();
  await router?.kill();
  rmSync(folder, { recursive: true, force: true });
});

function reach(authid: string, secret: string) {
  const line = dial(url, { authid, readSecret: () => secret, dial: () => ({ tls: { ca: ca.cert } }) });
  closed.push(() => line.session.close());
  return line;
}

const deviceOf = (name: string) => {
  const flock = studio.flock(name) ?? studio.addDevice({ name });
  return { serial: flock.serial_number, line: reach(`${flock.swarm_key}-${flock.device_key}`, flock.secret), flock };
};

test("a device that was added comes in with its secret, and registers what is its own", async () => {
  const { serial, line, flock } = deviceOf("press-01");
  const session = await line.joined;
  await session.register(`re.mgmt.${serial}.wamp_connection_established`, () => "here");
  const { args } = await session.call("reswarm.devices.read_device_metadata", [{ device_key: flock.device_key }]);
  expect(args[0]).toMatchObject({ device_name: "press-01" });
  const operator = await reach(studio.operator.authid, studio.operator.secret).joined;
  expect((await operator.call(`re.mgmt.${serial}.wamp_connection_established`)).args).toEqual(["here"]);
});

test.each([
  ["a device with a wrong secret", () => reach("1-1", "wrong")],
  ["a device that nobody has added", () => reach("1-999", "wrong")],
])("%s is refused, and both alike", async (_, line) => {
  const { end, facts } = line();
  expect(await end).toMatchObject({
    because: "wamp.error.not_authorized",
    detail: expect.stringContaining("signature"),
  });
  expect(facts.at(-1)).toMatchObject({ ending: "refused" });
});

test("a device may not register, follow or publish what belongs to another, call another, or ask as the router does", async () => {
  const [own, other] = [deviceOf("press-01"), deviceOf("press-02")];
  const session = await own.line.joined;
  const denied = { uri: "wamp.error.not_authorized" };
  const theirs = `re.mgmt.${other.serial}.`;
  await expect(session.register(`${theirs}device_handshake`, () => 1, { patience: 0 })).rejects.toMatchObject(denied);
  await expect(session.subscribe(`reswarm.logs.${other.serial}.`, () => {}, { match: "prefix" })).rejects.toMatchObject(
    denied,
  );
  await expect(session.subscribe("re.mgmt.", () => {}, { match: "prefix" })).rejects.toMatchObject(denied);
  await expect(session.publishAcknowledged(`reswarm.logs.${other.serial}.x`, ["lie"])).rejects.toMatchObject(denied);
  await expect(session.call(`${theirs}device_handshake`)).rejects.toMatchObject(denied);
  for (const name of ["reswarm.router.authenticate", "wamp.session.list", "wamp.session.kill_by_authid"])
    await expect(session.call(name, ["realm1", "1-2", {}])).rejects.toMatchObject(denied);
});

test("secrets open nothing on the back end's own listener, and its key nothing to devices' side", async () => {
  const { flock } = deviceOf("press-01");
  const line = dial(inside, { authid: `${flock.swarm_key}-${flock.device_key}`, readSecret: () => flock.secret });
  closed.push(() => line.session.close());
  expect((await line.end).because).toMatch(/no_auth_method/);
  const key = readFileSync(join(folder, "backend.key"), "utf8");
  const authextra = { pubkey: publicKeyOf(key), channel_binding: null };
  const outside = dial(url, {
    ...{ authid: "system", method: "cryptosign", authextra, readSecret: () => key },
    dial: () => ({ tls: { ca: ca.cert } }),
  });
  closed.push(() => outside.session.close());
  expect((await outside.end).because).toMatch(/no_auth_method/);
});

test("the story of one device is seen on it, by its URL and the back end's key", async () => {
  await studio.stop();
  const cwd = join(folder, "d");
  mkdirSync(cwd);
  const names = { router: url, "router-inside": inside, "router-key": join(folder, "backend.key") };
  const args = ["start", "--once", ...Object.entries(names).flatMap(([name, value]) => [`--${name}`, value])];
  const options = { cwd, env: { PATH: process.env["PATH"], REAGENT_TLS_CA: join(folder, "ca.pem") } };
  const { stdout } = await promisify(execFile)(process.execPath, [resolve("dist/reagent.mjs"), ...args], options);
  expect(stdout).toContain("* the router sends the device away");
  expect(stdout).toContain("* nothing of it is left in the engine");
}, 60_000);

test("the public key for the configuration is what the page's command prints", () => {
  const key = readFileSync(join(folder, "backend.key"), "utf8");
  const der = createPublicKey(key).export({ type: "spki", format: "der" });
  expect(der.subarray(-32).toString("hex")).toBe(publicKeyOf(key));
});
