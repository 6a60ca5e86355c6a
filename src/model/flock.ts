/**
 * The `.flock` file: who this device is, where its router is, and its secret. A studio makes it. Fields that are not named
 * here are none of the agent's business: they may be anything, and stay in the file as they are.
 */
import * as z from "zod";
import type { Device } from "./device.ts";
import { AgentError } from "./errors.ts";
import { parseJson } from "./json.ts";
import { Secret } from "./secret.ts";
import type { DeviceMetadata } from "./wireReport.ts";

/** Never shows what was there instead: the file holds secrets, and a value may stand in the wrong place. */
const wants = (what: string) => ({
  error: ({ input }: { readonly input?: unknown }) => (input === undefined ? "is missing" : `expected ${what}`),
});

const Key = z.int(wants("a number, whole and above 0")).positive("expected a number, whole and above 0");

const Text = z
  .string(wants("a text"))
  .max(512, "expected a text of at most 512 characters")
  .nullish()
  .transform((text) => text ?? "");

/** Put together plainly with what follows, so it ends with a slash unless it is empty. */
const Prefix = Text.transform((text) => text.replace(/(?<=[^/])$/, "/"));

/** What an older studio wrote. */
const LEGACY: Readonly<Record<string, string>> = {
  "registry.reswarm.io/": "registry.ironflock.com/",
  "wss://cbw.record-evolution.com/ws-re-dev": "wss://cbw.ironflock.com/ws-re-dev",
};
const renewed = (text: string): string => LEGACY[text] ?? text;

const ROUTER = "a ws://, wss://, http:// or https:// address without user and password";

function isRouter(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && /^(ws|http)s?:$/.test(url.protocol) && url.username === "" && url.password === "";
}

export const Flock = z.object(
  {
    serial_number: z
      .string(wants("a text"))
      .regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,63}$/, "expected at most 64 letters, digits and dashes")
      .describe("Serial number. Part of every name that the device has on the router, so it holds no dot."),
    device_key: Key.describe("The device's number in the studio; with `swarm_key` it is the name to log in with."),
    swarm_key: Key.describe("Number of the swarm that it belongs to. Written anew when the studio moves the device."),
    secret: z
      .string(wants("a text"))
      .min(1, "expected a text that is not empty")
      .max(4_096, "expected a text of at most 4096 characters")
      .transform((text) => new Secret(text))
      .describe("What the device proves itself with. Read anew at each dial, so a new one needs no restart."),
    device_endpoint_url: z
      .string(wants("a text"))
      .max(2_048, "expected a text of at most 2048 characters")
      .refine(isRouter, `expected ${ROUTER}`)
      .transform((text) => renewed(text.replace(/^http/i, "ws")))
      .describe(`The router: ${ROUTER}. http and https mean ws and wss.`),
    name: Text.describe("The device's name; apps find it as `DEVICE_NAME`. Written anew from the studio."),
    swarm_name: Text.describe("The swarm's name. Written anew from the studio."),
    swarm_owner_name: Text.describe("The account that owns the swarm. Written anew from the studio."),
    docker_registry_url: Prefix.transform(renewed).describe(
      "Registry of the apps' images, such as `registry.example.com/`. A missing slash at its end is added.",
    ),
    docker_main_repository: Prefix.describe(
      "Folder of the images in the registry, such as `apps/`. A missing slash at its end is added.",
    ),
    appliance_domain: Text.describe("Domain of the tunnels, if it is not the router's."),
  },
  "expected an object",
);
export type Flock = z.output<typeof Flock>;

/** @throws {AgentError} bad_flock, with every bad field and what is wrong with it, and no value of any. */
export function parseFlock(text: string): Flock {
  const parsed = Flock.safeParse(parseJson(text, "bad_flock"));
  if (parsed.success) return parsed.data;
  const { formErrors, fieldErrors } = z.flattenError(parsed.error);
  const wrong = Object.entries(fieldErrors).map(([field, [first]]) => `${field}: ${first}`);
  throw new AgentError("bad_flock", [...formErrors, ...wrong].join("; "));
}

/** @param machine Architecture and variant: `armv7`. */
export function deviceOf(flock: Flock, machine: string): Device {
  return {
    serial: flock.serial_number,
    deviceKey: flock.device_key,
    swarmKey: flock.swarm_key,
    name: flock.name,
    endpointUrl: flock.device_endpoint_url,
    registryUrl: flock.docker_registry_url,
    repository: flock.docker_main_repository,
    applianceDomain: flock.appliance_domain,
    machine,
  };
}

/** The text of the file with what the studio says now; `undefined` if it says so already. */
export function withMetadata(text: string, metadata: DeviceMetadata): string | undefined {
  const { device_name: name, swarm_name, ownername: swarm_owner_name, swarm_key } = metadata;
  const now: Readonly<Record<string, unknown>> = { name, swarm_name, swarm_owner_name, swarm_key };
  const file = parseJson(text, "bad_flock") as Readonly<Record<string, unknown>>;
  if (Object.entries(now).every(([field, value]) => file[field] === value)) return undefined;
  return `${JSON.stringify({ ...file, ...now }, null, 2)}\n`;
}
