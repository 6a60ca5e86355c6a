/**
 * The agent's own settings: what the original's flags do not have. From `settings.json` in the agent's home, whose keys are
 * written with their dot (`{ "security.enforce": "log" }`), and from the environment, which wins.
 */
import * as z from "zod";
import { STRATEGIES } from "./app.ts";
import type { Access } from "./device.ts";
import { AgentError } from "./errors.ts";
import { parseJson } from "./json.ts";
import { hint } from "./nearest.ts";

/** What docs and errors say of a setting. */
export interface About {
  readonly description: string;
  /** Follows "expected". */
  readonly allowed: string;
  /** As JSON. */
  readonly example: string;
}

const setting = <S extends z.ZodType>(schema: S, about: About): S => schema.meta({ ...about });
const OnOff = z.enum(["on", "off"]);

const DevicePath = z
  .string()
  .max(256)
  .regex(/^(?!.*\/\.{0,2}(\/|$))\/dev\/[\w./:+@-]+$/);

/** The environment knows no lists, so a text with commas is one too. */
const AccessSetting = z.union([
  z.enum(["none", "full"]),
  z.array(DevicePath).max(64),
  z
    .string()
    .max(16_384)
    .transform((text) => text.split(",").map((path) => path.trim()))
    .pipe(z.array(DevicePath).min(1).max(64)),
]) satisfies z.ZodType<Access>;

const Seconds = z
  .union([
    z.int(),
    z
      .string()
      .regex(/^\d{1,3}$/)
      .transform(Number),
  ])
  .pipe(z.int().min(0).max(600));

const Count = z
  .union([
    z.int(),
    z
      .string()
      .regex(/^\d{1,2}$/)
      .transform(Number),
  ])
  .pipe(z.int().min(1).max(64));

const Megabytes = z
  .union([
    z.int(),
    z
      .string()
      .regex(/^\d{1,7}$/)
      .transform(Number),
  ])
  .pipe(z.int().min(0).max(1_000_000));

const FilePath = z.string().regex(/^\/[^\0]{1,1023}$/);
const file = (description: string, example: string) =>
  setting(FilePath.optional(), { description, allowed: "the absolute path of a file", example });

const Pin = z.string().regex(/^[A-Za-z0-9+/]{43}=$/);
const Pins = z.union([
  z.array(Pin).min(1).max(8),
  z
    .string()
    .max(512)
    .transform((text) => text.split(",").map((pin) => pin.trim()))
    .pipe(z.array(Pin).min(1).max(8)),
]);

export const Settings = z.strictObject({
  "security.enforce": setting(z.enum(["on", "log", "off"]).default("on"), {
    description:
      "Whether a request that changes something is refused when the caller may not. `log` lets it through and logs it.",
    allowed: "on, log or off",
    example: '"log"',
  }),
  "containers.access": setting(AccessSetting.default("none"), {
    description:
      "What of the device the apps' containers may use. `full` is privileged with all of /dev, as the original has it.",
    allowed: "none, full, or a list of paths below /dev (in the environment: separated by commas)",
    example: '["/dev/ttyUSB0", "/dev/i2c-1"]',
  }),
  "containers.stopGrace": setting(Seconds.default(10), {
    description: "Seconds that an app has to end by itself before it is killed.",
    allowed: "a whole number from 0 to 600",
    example: "30",
  }),
  "containers.gpu": setting(z.enum(["auto", "on", "off"]).default("auto"), {
    description:
      "Whether containers get the engine's runtime `nvidia`. `auto`: where the device shows an NVIDIA GPU. Where the engine does not know the runtime, or it fails, the container runs without it.",
    allowed: "auto, on or off",
    example: '"off"',
  }),
  "containers.unhealthyChecks": setting(Count.optional(), {
    description:
      "How many health checks in a row have to fail until a container counts as not healthy. Where nothing sets it, the image says it (`HEALTHCHECK --retries`). Counts for containers that are made from then on.",
    allowed: "a whole number from 1 to 64",
    example: "5",
  }),
  "update.strategy": setting(z.enum(STRATEGIES).default("download-then-swap"), {
    description:
      "How a running app gets a newer version. `download-then-swap` keeps the old one up while the new one comes; `stop-then-download` stops it before, where both do not fit beside each other.",
    allowed: "download-then-swap or stop-then-download",
    example: '"stop-then-download"',
  }),
  "update.probation": setting(Seconds.default(30), {
    description:
      "Seconds that a new version has to stay up before the old one is removed. One with a health check is through as soon as it is healthy.",
    allowed: "a whole number from 0 to 600",
    example: "120",
  }),
  "pulls.parallel": setting(Count.default(3), {
    description: "How many images are downloaded at once.",
    allowed: "a whole number from 1 to 64",
    example: "1",
  }),
  "pulls.minFree": setting(Megabytes.default(200), {
    description:
      "MB that have to be free on the engine's disk before an image is downloaded. With less, an app that runs goes on as it is, and the download is tried again later.",
    allowed: "a whole number from 0 to 1000000",
    example: "1000",
  }),
  "lock.machine": setting(OnOff.default("on"), {
    description: "Whether only one agent may run on this machine. Off is for several homes beside each other.",
    allowed: "on or off",
    example: '"off"',
  }),
  "docker.socket": setting(
    z
      .string()
      .regex(/^\/[^\0]{1,106}$/)
      .default("/var/run/docker.sock"),
    {
      description:
        "Socket of the Docker engine. Where nothing sets it, `DOCKER_HOST=unix:///path` does; other engines than local ones cannot be used.",
      allowed: "the path of a socket: absolute, at most 107 characters",
      example: '"/run/user/1000/docker.sock"',
    },
  ),
  "log.level": setting(z.enum(["trace", "debug", "info", "warn", "error"]).default("info"), {
    description: "From which level on the agent logs. `-debug` goes before it.",
    allowed: "trace, debug, info, warn or error",
    example: '"debug"',
  }),
  "wamp.realm": setting(
    z
      .string()
      .max(256)
      .regex(/^[^\s#]+$/)
      .default("realm1"),
    {
      description: "Realm of the router that the device joins.",
      allowed: "a text without spaces and #",
      example: '"realm1"',
    },
  ),
  "auth.method": setting(z.enum(["wampcra", "ticket", "cryptosign"]).default("wampcra"), {
    description:
      "How the device proves who it is: `wampcra` and `ticket` by the secret of the .flock file (a ticket over wss only), `cryptosign` by `auth.key`. A router that asks for another proof gets none.",
    allowed: "wampcra, ticket or cryptosign",
    example: '"cryptosign"',
  }),
  "auth.key": file(
    "For `cryptosign`: the private key, as an Ed25519 key in PEM or 32 bytes in hex.",
    '"/etc/reagent/device.key"',
  ),
  "tls.ca": file(
    "Authorities in PEM that are trusted beside the system's own: the one of the router, where it is one's own.",
    '"/etc/reagent/ca.pem"',
  ),
  "tls.pin": setting(Pins.optional(), {
    description:
      "Keys that the router must have, one of these, beside a good certificate: SHA-256 of its public key (SPKI), in base64. Name a spare one too, or a new key on the router locks all devices out.",
    allowed: "a list of 1 to 8 hashes of 44 characters (in the environment: separated by commas)",
    example: '["l/IcHQ+RSM0kGZVEkO8EMn3yJcEEkDQ6bDqWGHDVhQo="]',
  }),
  "tls.cert": file("The device's own certificate in PEM, for a router that wants one.", '"/etc/reagent/device.pem"'),
  "tls.key": file("Its key in PEM.", '"/etc/reagent/device.key"'),
});
export type Settings = z.output<typeof Settings>;
export type AuthMethod = Settings["auth.method"];

type Key = keyof Settings;
const KEYS = Object.keys(Settings.shape) as readonly Key[];

/** `containers.stopGrace` -> `REAGENT_CONTAINERS_STOP_GRACE` */
export const variableOf = (key: string): string =>
  `REAGENT_${key.replace(".", "_").replaceAll(/[A-Z]/g, "_$&").toUpperCase()}`;

export const aboutSetting = (key: Key): About => Settings.shape[key].meta() as unknown as About;

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * @param file Text of settings.json; `undefined` if there is none.
 * @param defaults go before those of the schema.
 * @throws {AgentError} bad_settings, with every unknown key and every bad value.
 */
export function readSettings(file: string | undefined, env: Environment, defaults: Partial<Settings> = {}): Settings {
  const inFile = objectIn(file);
  const variables = variablesIn(env, "docker.socket" in inFile);
  const all = { ...defaults, ...inFile, ...Object.fromEntries(variables.map(({ key, value }) => [key, value])) };
  const parsed = Settings.safeParse(all);
  const faults = [
    ...(parsed.error ? faultsIn(parsed.error, all, variables) : []),
    ...strangeVariables(env),
    ...lonely(all),
  ];
  if (!parsed.success || faults.length > 0) throw new AgentError("bad_settings", faults.join("; "));
  return parsed.data;
}

/** What makes no sense without another; also where something else is wrong. */
function lonely(settings: Readonly<Partial<Record<Key, unknown>>>): readonly string[] {
  const needs = (is: boolean, key: Key, other: Key) =>
    is && settings[other] === undefined ? [`${key} needs ${other}`] : [];
  return [
    ...needs(settings["auth.method"] === "cryptosign", "auth.method", "auth.key"),
    ...needs(settings["tls.cert"] !== undefined, "tls.cert", "tls.key"),
    ...needs(settings["tls.key"] !== undefined, "tls.key", "tls.cert"),
  ];
}

function objectIn(file: string | undefined): object {
  const value = file === undefined ? {} : parseJson(file, "bad_settings", "settings.json: ");
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  throw new AgentError("bad_settings", 'settings.json: expected an object, such as { "log.level": "debug" }');
}

interface Variable {
  readonly name: string;
  readonly key: Key;
  readonly value: string;
}

/** Those that set something. DOCKER_HOST is what Docker's own tools go by; it yields to whatever else names the socket. */
function variablesIn(env: Environment, hasSocket: boolean): readonly Variable[] {
  const ours = KEYS.flatMap((key) => {
    const name = variableOf(key);
    const value = env[name];
    return value ? [{ name, key, value }] : [];
  });
  const host = env["DOCKER_HOST"];
  if (!host || hasSocket || ours.some(({ key }) => key === "docker.socket")) return ours;
  return [...ours, { name: "DOCKER_HOST", key: "docker.socket", value: host.replace(/^unix:\/\//, "") }];
}

function faultsIn(
  error: z.ZodError,
  all: Readonly<Record<string, unknown>>,
  variables: readonly Variable[],
): readonly string[] {
  const strange = error.issues.flatMap((issue) => (issue.code === "unrecognized_keys" ? issue.keys : []));
  const bad = KEYS.filter((key) => error.issues.some(({ path }) => path[0] === key));
  return [
    ...strange.map((key) => `settings.json: ${shown(key)} is no setting${meant(key, all[key])}`),
    ...bad.map((key) => {
      const from = variables.find((variable) => variable.key === key)?.name ?? key;
      return `${from}: ${shown(all[key])}; expected ${aboutSetting(key).allowed}`;
    }),
  ];
}

/** Sections written as objects are the likeliest mistake. */
function meant(key: string, value: unknown): string {
  const isSection = typeof value === "object" && KEYS.some((each) => each.startsWith(`${key}.`));
  return isSection ? `; write "${key}.…" as one key` : hint(key, KEYS);
}

/** Variables that look like a setting and are none. Others with our prefix belong to somebody else. */
function strangeVariables(env: Environment): string[] {
  const known = KEYS.map(variableOf);
  const sections = [...new Set(KEYS.map((key) => variableOf(key.replace(/\..*/, ""))))];
  return Object.keys(env)
    .filter((name) => sections.some((section) => name.startsWith(`${section}_`)) && !known.includes(name))
    .map((name) => `${name.slice(0, 60)} is no setting${hint(name, known)}`);
}

const shown = (value: unknown): string => (JSON.stringify(value) ?? "nothing").slice(0, 60);
