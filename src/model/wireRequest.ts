/**
 * `request_app_state` as it comes over the wire: keyword arguments in, an order or a refusal out. Where the original says
 * no, the sentence is the original's, since callers match on it (docs/wire.md).
 */
import * as z from "zod";
import { type Stage, TARGETS, type Target } from "./app.ts";
import { environmentOf } from "./appEnvironment.ts";
import { APP_NAME } from "./names.ts";
import type { AppOrder } from "./order.ts";
import { PortRules } from "./portRule.ts";
import { Secret } from "./secret.ts";

/** Why a caller gets an ERROR that is no fault of this agent. */
export type WireErrorCode = "bad_request" | "not_permitted" | "not_verified";

/** The text of the one ERROR that a caller gets. */
export class WireError extends Error {
  override readonly name = "WireError";
  readonly code: WireErrorCode;

  constructor(message: string, code: WireErrorCode = "bad_request") {
    super(message);
    this.code = code;
  }
}

export type Asked =
  | {
      readonly is: "order";
      readonly order: AppOrder;
      /** What is going on is called off; the order says what shall be then. */
      readonly cancels: boolean;
      /** Nobody said which version: the one that is here stays, and the order's is for an app that is new. */
      readonly isVersionOpen: boolean;
    }
  /** A RESULT all the same, as every refusal; nothing is kept of it. */
  | { readonly is: "refused"; readonly why: string };

const STATES = [
  "PRESENT",
  "REMOVED",
  "UNINSTALLED",
  "FAILED",
  "BUILDING",
  "BUILT",
  "TRANSFERED",
  "TRANSFERING",
  "PUBLISHING",
  "PUBLISHED",
  "DOWNLOADING",
  "STARTING",
  "STOPPING",
  "UPDATING",
  "DELETING",
  "RUNNING",
  "INHERIT",
];

/** What a transient target means (the original's table). */
const MEANS: Readonly<Record<string, string>> = {
  BUILDING: "PRESENT",
  TRANSFERED: "PRESENT",
  DOWNLOADING: "PRESENT",
  TRANSFERING: "PRESENT",
  PUBLISHING: "PRESENT",
  UPDATING: "PRESENT",
  STOPPING: "PRESENT",
  DELETING: "REMOVED",
  STARTING: "RUNNING",
};

const isTarget = (word: string): word is Target => TARGETS.includes(word as Target);
/** The only version of a development app: what was built last. */
const DEV_VERSION = "latest";

/** A tag as Docker takes it (distribution/reference, `tag`). */
const VERSION = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;

/** A key of the back end: a number, or the digits of one. */
export const Key = z
  .union([
    z.number(),
    z
      .string()
      .regex(/^[1-9]\d{0,15}$/)
      .transform(Number),
  ])
  .refine((key) => Number.isSafeInteger(key) && key > 0);
const KeyOrZero = Key.or(z.literal([0, "0"]).transform(() => 0));
const Version = z.string().regex(VERSION).or(z.literal(""));
const Name = z
  .string()
  .transform((name) => name.toLowerCase())
  .refine((name) => APP_NAME.test(name));
export const Tree = z.record(z.string(), z.unknown());
/** Of any form: a number, or the digits of one. What is neither is as good as absent, as in the original. */
const Integral = z
  .union([
    z.int(),
    z
      .string()
      .regex(/^\d{1,15}$/)
      .transform(Number),
  ])
  .refine((count) => Number.isSafeInteger(count) && count > 0);
const Login = z.object({ username: z.string().min(1).max(256), password: z.string().max(8_192) });

type Kwargs = Readonly<Record<string, unknown>>;

/** Reads one field; absent and null are the same. @throws {WireError} with the original's words. */
function field<Out>(from: Kwargs, key: string, schema: z.ZodType<Out>, words = key): Out | undefined {
  const value = from[key];
  if (value === undefined || value === null) return undefined;
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw new WireError(`failed to parse ${words}`);
  return parsed.data;
}

const text = (from: Kwargs, key: string, words = key): string => field(from, key, z.string(), words) ?? "";
const flag = (from: Kwargs, key: string, words: string): boolean => field(from, key, z.boolean(), words) ?? false;
const version = (from: Kwargs, key: string): string => field(from, key, Version) ?? "";

/** An account key: a number, or digits. What is neither gets the sentence that Go's library would say. */
function account(from: Kwargs, ...keys: readonly string[]): number {
  const value = keys.map((key) => from[key]).find((each) => each !== undefined && each !== null) ?? 0;
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  if (typeof value === "string" && /^\d{1,15}$/.test(value)) return Number(value);
  const shown = typeof value === "object" ? "object" : String(value);
  throw new WireError(`strconv.Atoi: parsing ${JSON.stringify(shown.slice(0, 40))}: invalid syntax`);
}

/** The sentence of the original's database for a word that it does not know. */
const constraint = (column: string, words: readonly string[]): WireError =>
  new WireError(
    `constraint failed: CHECK constraint failed: ${column} IN (${words.map((word) => `'${word}'`).join(", ")}) (275)`,
  );

/**
 * First what cannot be read, then words that nobody knows, as the original says them.
 * @throws {WireError} whatever comes in; nothing else is thrown.
 */
export function parseAppRequest(kwargs: Kwargs): Asked {
  const key = keyIn(kwargs);
  const name = nameIn(kwargs);
  const words = wordsIn(kwargs);
  const versions = versionsIn(kwargs);
  checkUnused(kwargs);
  const environment = environmentIn(kwargs, words.stage);
  const ports = field(kwargs, "ports", PortRules) ?? [];
  const compose = field(kwargs, "docker_compose", Tree, "docker compose");
  const cancels = flag(kwargs, "cancel_transition", "cancelTransition");
  const identity = identityIn(kwargs);
  const requestor = account(kwargs, "requestor_account_key", "account_id");
  const owner = account(kwargs, "device_owner_account_key");
  const { stage, target } = checkWords(words);

  const { version, releases, isOpen } = wantedOf(versions, stage, target);
  const why = whyNot({ target, compose, version });
  if (why !== undefined || !isTarget(target)) return { is: "refused", why: why ?? `${target} is no target` };
  const { [version]: releaseKey = versions.releaseKey, ...others } = releases;
  const asked = { app: { stage, key }, name, target, version, releaseKey, requestor, owner };
  const order = {
    ...asked,
    ...environment,
    ...identity,
    ...(ports.length > 0 && { ports }),
    ...(Object.keys(others).length > 0 && { releases: others }),
  };
  return { is: "order", order, cancels, isVersionOpen: isOpen };
}

interface Versions {
  readonly present: string;
  readonly newest: string;
  readonly releaseKey: number;
  readonly newReleaseKey: number;
  readonly wantsUpdate: boolean;
}

function versionsIn(kwargs: Kwargs): Versions {
  return {
    present: version(kwargs, "present_version"),
    newest: version(kwargs, "newest_version"),
    releaseKey: field(kwargs, "release_key", KeyOrZero) ?? 0,
    newReleaseKey: field(kwargs, "new_release_key", KeyOrZero) ?? 0,
    wantsUpdate: flag(kwargs, "request_update", "requestUpdate"),
  };
}

/** The newest version where an update is asked for, else the present one. An app that shall go needs no update first. */
function wantedOf({ present, newest, releaseKey, newReleaseKey, wantsUpdate }: Versions, stage: Stage, target: string) {
  if (stage === "DEV") return { version: DEV_VERSION, releases: {}, isOpen: false };
  const isUpdate = wantsUpdate && newest !== "" && ["RUNNING", "PRESENT"].includes(target);
  const releases: Record<string, number> = {
    ...(newest !== "" && newReleaseKey > 0 && { [newest]: newReleaseKey }),
    ...(present !== "" && releaseKey > 0 && { [present]: releaseKey }),
  };
  return { version: isUpdate ? newest : present || newest, releases, isOpen: !isUpdate && present === "" };
}

/** What a container is given to prove who it is, and what its image's registry is given. */
function identityIn(kwargs: Kwargs): Pick<AppOrder, "credentialEpoch" | "instanceKey" | "registries"> {
  const [epoch, instance] = [Integral.safeParse(kwargs["app_cred_epoch"]), Integral.safeParse(kwargs["instance_key"])];
  const registries = field(kwargs, "docker_credentials", Tree) ?? {};
  const logins = Object.entries(registries).flatMap(([registry, login]) => {
    const { success, data } = Login.safeParse(login);
    return success ? [[registry, data] as const] : [];
  });
  return {
    ...(epoch.success && { credentialEpoch: epoch.data }),
    ...(instance.success && { instanceKey: instance.data }),
    ...(logins.length > 0 && { registries: new Secret(JSON.stringify(Object.fromEntries(logins))) }),
  };
}

/** Names that no container could take are left out, as the original leaves them out. */
function environmentIn(kwargs: Kwargs, stage: string): Pick<AppOrder, "environment" | "leftOut"> {
  const [given, template] = [field(kwargs, "environment", Tree), field(kwargs, "environment_template", Tree)];
  const environment = environmentOf(stage === "DEV" ? undefined : given, template);
  if (!environment) throw new WireError("failed to parse environment");
  const { values, left } = environment;
  return {
    ...(Object.keys(values).length > 0 && { environment: new Secret(JSON.stringify(values)) }),
    ...(left.length > 0 && { leftOut: left.slice(0, 20) }),
  };
}

/** What this version makes no use of has to be of its kind all the same, as in the original. */
function checkUnused(kwargs: Kwargs): void {
  text(kwargs, "version");
  field(kwargs, "new_docker_compose", Tree, "new docker compose");
}

interface Wish {
  readonly target: string;
  readonly compose: object | undefined;
  readonly version: string;
}

/** What this version does not do yet, each in one sentence. */
function whyNot({ target, compose, version }: Wish): string | undefined {
  if (compose && Object.keys(compose).length > 0) return "this agent does not run compose apps yet";
  if (!isTarget(target)) return `this agent cannot bring an app to ${target} yet`;
  const needsVersion = target === "RUNNING" || target === "PRESENT";
  if (version === "" && needsVersion) return "neither present_version nor newest_version says which version";
  return undefined;
}

function keyIn(kwargs: Kwargs): number {
  const key = kwargs["app_key"] === 0 ? undefined : field(kwargs, "app_key", Key);
  if (key === undefined) throw new WireError("missing from payload app_key");
  return key;
}

function nameIn(kwargs: Kwargs): string {
  const name = field(kwargs, "app_name", Name, "appName");
  if (!name) throw new WireError("failed to parse appName");
  return name;
}

interface Words {
  readonly stage: string;
  readonly target: string;
  readonly current: string;
}

function wordsIn(kwargs: Kwargs): Words {
  const stage = text(kwargs, "stage");
  if (!stage) throw new WireError("missing from payload stage");
  const target =
    text(kwargs, "target_state", "requestedState") || text(kwargs, "manually_requested_state", "requestedState");
  return { stage, target, current: text(kwargs, "current_state") || text(kwargs, "state") };
}

function checkWords({ stage, target, current }: Words): { readonly stage: Stage; readonly target: string } {
  if (stage !== "DEV" && stage !== "PROD") throw constraint("stage", ["DEV", "PROD"]);
  if (!STATES.includes(target)) throw constraint("manually_requested_state", STATES);
  if (!STATES.includes(current)) throw constraint("current_state", STATES);
  return { stage, target: MEANS[target] ?? target };
}
