import fc from "fast-check";
import { expect, test } from "vitest";
import { AgentError } from "../../src/model/errors.ts";
import { aboutSetting, readSettings, Settings, variableOf } from "../../src/model/settings.ts";

const KEYS = Object.keys(Settings.shape) as readonly (keyof Settings)[];
const DEFAULTS: Settings = {
  "security.enforce": "on",
  "containers.access": "none",
  "containers.stopGrace": 10,
  "containers.gpu": "auto",
  "update.strategy": "download-then-swap",
  "update.probation": 30,
  "pulls.parallel": 3,
  "pulls.minFree": 200,
  "lock.machine": "on",
  "docker.socket": "/var/run/docker.sock",
  "log.level": "info",
  "wamp.realm": "realm1",
  "auth.method": "wampcra",
};

const refusal = (file: unknown, env = {}) => {
  try {
    readSettings(file === undefined ? undefined : JSON.stringify(file), env);
  } catch (error) {
    if (error instanceof AgentError && error.code === "bad_settings")
      return error.message.replace("a setting cannot be used: ", "");
    throw error;
  }
  return "";
};

test("without file and variables everything has its default", () => {
  expect(readSettings(undefined, {})).toEqual(DEFAULTS);
  expect(readSettings("{}", { PATH: "/bin", REAGENT_HOME: "/x", REAGENT_LOGBOOK: "x" })).toEqual(DEFAULTS);
});

test("the environment goes before the file, and an empty variable is none", () => {
  const file = '{ "log.level": "warn", "wamp.realm": "a", "containers.stopGrace": 0 }';
  const env = { REAGENT_LOG_LEVEL: "trace", REAGENT_WAMP_REALM: "" };
  expect(readSettings(file, env)).toEqual({
    ...DEFAULTS,
    "log.level": "trace",
    "wamp.realm": "a",
    "containers.stopGrace": 0,
  });
});

test("variables are named after their keys", () => {
  expect(KEYS.map(variableOf)).toEqual([
    "REAGENT_SECURITY_ENFORCE",
    "REAGENT_CONTAINERS_ACCESS",
    "REAGENT_CONTAINERS_STOP_GRACE",
    "REAGENT_CONTAINERS_GPU",
    "REAGENT_CONTAINERS_UNHEALTHY_CHECKS",
    "REAGENT_UPDATE_STRATEGY",
    "REAGENT_UPDATE_PROBATION",
    "REAGENT_PULLS_PARALLEL",
    "REAGENT_PULLS_MIN_FREE",
    "REAGENT_LOCK_MACHINE",
    "REAGENT_DOCKER_SOCKET",
    "REAGENT_LOG_LEVEL",
    "REAGENT_WAMP_REALM",
    "REAGENT_AUTH_METHOD",
    "REAGENT_AUTH_KEY",
    "REAGENT_TLS_CA",
    "REAGENT_TLS_PIN",
    "REAGENT_TLS_CERT",
    "REAGENT_TLS_KEY",
  ]);
});

const BY_PATH = "/dev/serial/by-path/pci-0000:00:14.0-usb-0:1:1.0-port0";
test.each([
  ["none", "none"],
  ["full", "full"],
  ["/dev/ttyUSB0", ["/dev/ttyUSB0"]],
  [`/dev/ttyUSB0, ${BY_PATH}`, ["/dev/ttyUSB0", BY_PATH]],
])("%j in the environment gives containers %j", (text, access) => {
  expect(readSettings(undefined, { REAGENT_CONTAINERS_ACCESS: text })["containers.access"]).toEqual(access);
});

test.each([
  "/dev",
  "/dev/",
  "/dev/../etc/shadow",
  "/dev/./x",
  "/dev//x",
  "/etc/shadow",
  "ttyUSB0",
  "/var/run/docker.sock",
])("%s is no device that containers may be given", (path) => {
  const allowed = `expected ${aboutSetting("containers.access").allowed}`;
  expect(refusal({ "containers.access": [path] })).toBe(`containers.access: ["${path}"]; ${allowed}`);
  expect(refusal(undefined, { REAGENT_CONTAINERS_ACCESS: path })).toBe(
    `REAGENT_CONTAINERS_ACCESS: "${path}"; ${allowed}`,
  );
});

test.each([
  ["security.enforce", true, "true; expected on, log or off"],
  ["security.enforce", "ON", '"ON"; expected on, log or off'],
  ["containers.stopGrace", 601, "601; expected a whole number from 0 to 600"],
  ["containers.stopGrace", "10s", '"10s"; expected a whole number from 0 to 600'],
  ["containers.stopGrace", 1.5, "1.5; expected a whole number from 0 to 600"],
  ["lock.machine", null, "null; expected on or off"],
  ["docker.socket", "docker.sock", '"docker.sock"; expected the path of a socket: absolute, at most 107 characters'],
  ["log.level", "loud", '"loud"; expected trace, debug, info, warn or error'],
  ["wamp.realm", "", '""; expected a text without spaces and #'],
])("%s: %j is refused, with what is allowed", (key, value, says) => {
  expect(refusal({ [key]: value })).toBe(`${key}: ${says}`);
});

test("everything that is wrong is told at once, and where it stands", () => {
  const file = { "log.levl": 1, security: { enforce: "on" }, "lock.machine": "yes" };
  const env = { REAGENT_LOG_LEVEL: "loud", REAGENT_DOCKER_SOKET: "/x", DOCKER_HOST: "tcp://10.0.0.1:2375" };
  expect(refusal(file, env).split("; ")).toEqual([
    ...['settings.json: "log.levl" is no setting', "is log.level meant?"],
    ...['settings.json: "security" is no setting', 'write "security.…" as one key'],
    ...['lock.machine: "yes"', "expected on or off"],
    ...['DOCKER_HOST: "tcp://10.0.0.1:2375"', "expected the path of a socket: absolute, at most 107 characters"],
    ...['REAGENT_LOG_LEVEL: "loud"', "expected trace, debug, info, warn or error"],
    ...["REAGENT_DOCKER_SOKET is no setting", "is REAGENT_DOCKER_SOCKET meant?"],
  ]);
});

test("a file that is no JSON, or no object, is refused", () => {
  expect(() => readSettings('{\n"log.level": debug }', {})).toThrow(
    /: settings\.json: broken JSON at line 2, column 14$/,
  );
  for (const text of ["[]", "null", "1"])
    expect(() => readSettings(text, {})).toThrow(/settings\.json: expected an object/);
});

test("DOCKER_HOST says where the engine is when no setting does", () => {
  const socketOf = (file: string | undefined, env: object) => readSettings(file, { ...env })["docker.socket"];
  const DOCKER_HOST = "unix:///run/user/1000/docker.sock";
  expect(socketOf(undefined, { DOCKER_HOST })).toBe("/run/user/1000/docker.sock");
  expect(socketOf('{ "docker.socket": "/a" }', { DOCKER_HOST })).toBe("/a");
  expect(socketOf(undefined, { DOCKER_HOST, REAGENT_DOCKER_SOCKET: "/b" })).toBe("/b");
  expect(socketOf('{ "docker.socket": "/a" }', { DOCKER_HOST: "tcp://10.0.0.1:2375" })).toBe("/a");
  expect(socketOf(undefined, { DOCKER_HOST: "" })).toBe("/var/run/docker.sock");
  expect(refusal(undefined, { DOCKER_HOST: "unix://docker.sock" })).toMatch(/^DOCKER_HOST: "docker\.sock"; expected/);
});

/** Settings that others are nothing without. */
const NEEDED = { "auth.key": "/a", "tls.cert": "/b", "tls.key": "/c" };

test("whatever the file says, it is read or refused as bad_settings, with every bad key by name", () => {
  const values = fc.dictionary(fc.oneof(fc.constantFrom(...KEYS), fc.string()), fc.jsonValue());
  fc.assert(
    fc.property(values, (file) => {
      const says = refusal(file);
      for (const key of Object.keys(file))
        if (refusal({ ...NEEDED, [key]: file[key] }) !== "")
          expect(says).toContain(JSON.stringify(key).slice(1, -1).slice(0, 50));
    }),
    { examples: [[{ "tls.cert": "/ ", "tls.key": null }]] },
  );
});
