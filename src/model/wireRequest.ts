/**
 * `request_app_state` as it comes over the wire: keyword arguments in, an order or a refusal out. Where the original says
 * no, the sentence is the original's, since callers match on it (docs/wire.md).
 */
import * as z from "zod";
import { appName, type Stage, type Target } from "./app.ts";
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
  | { readonly is: "order"; readonly order: AppOrder }
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

const OURS: Readonly<Partial<Record<string, Target>>> = { RUNNING: "RUNNING", PRESENT: "PRESENT", REMOVED: "REMOVED" };

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
const Tree = z.record(z.string(), z.unknown());
/** Rows of a list of desired states; a longer one is no such list. */
const MOST_ROWS = 10_000;

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
  const [present, newest] = [version(kwargs, "present_version"), version(kwargs, "newest_version")];
  checkUnused(kwargs);
  const environment = environmentIn(kwargs);
  const ports = field(kwargs, "ports", PortRules) ?? [];
  const compose = field(kwargs, "docker_compose", Tree, "docker compose");
  const wantsUpdate = flag(kwargs, "request_update", "requestUpdate");
  const cancels = flag(kwargs, "cancel_transition", "cancelTransition");
  const releaseKey = field(kwargs, "release_key", KeyOrZero) ?? 0;
  const requestor = account(kwargs, "requestor_account_key", "account_id");
  const owner = account(kwargs, "device_owner_account_key");
  const { stage, target } = checkWords(words);

  const wanted = present || newest;
  const isUpdate = wantsUpdate && newest !== "" && newest !== wanted;
  const why = whyNot({ stage, target, compose, isUpdate, cancels, version: wanted });
  const known = OURS[target];
  if (why !== undefined || known === undefined) return { is: "refused", why: why ?? `${target} is no target` };
  const asked = { app: { stage, key }, name, target: known, version: wanted, releaseKey, requestor, owner };
  const order = { ...asked, ...environment, ...(ports.length > 0 && { ports }) };
  return { is: "order", order };
}

/** Names that no container could take are left out, as the original leaves them out. */
function environmentIn(kwargs: Kwargs): Pick<AppOrder, "environment" | "leftOut"> {
  const [given, template] = [field(kwargs, "environment", Tree), field(kwargs, "environment_template", Tree)];
  const environment = environmentOf(given, template);
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
  field(kwargs, "new_release_key", KeyOrZero);
  field(kwargs, "docker_credentials", Tree);
  field(kwargs, "new_docker_compose", Tree, "new docker compose");
}

interface Wish {
  readonly stage: Stage;
  readonly target: string;
  readonly compose: object | undefined;
  readonly isUpdate: boolean;
  readonly cancels: boolean;
  readonly version: string;
}

/** What this version does not do yet, each in one sentence. */
function whyNot({ stage, target, compose, isUpdate, cancels, version }: Wish): string | undefined {
  if (stage === "DEV") return "this agent does not run development apps yet";
  if (compose && Object.keys(compose).length > 0) return "this agent does not run compose apps yet";
  if (cancels) return "this agent cannot cancel a transition yet; ask for the state that you want instead";
  if (!(target in OURS)) return `this agent cannot bring an app to ${target} yet`;
  if (isUpdate && target !== "REMOVED")
    return "this agent does not update apps yet; stop the app and run the other version instead";
  if (version === "" && target !== "REMOVED") return "neither present_version nor newest_version says which version";
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

/** What a list of desired states says. */
export interface DesiredStates {
  readonly orders: readonly AppOrder[];
  /** Rows that this version does not handle; neither touched nor reported. */
  readonly unsupported: readonly string[];
  /** Elements that cannot be read, each with its reason. */
  readonly bad: readonly string[];
}

/**
 * The answer of `get_requested_app_states`. One bad element does not spoil the others; of two about one app the later one
 * counts. An answer that is no list, or is absurdly long, says nothing at all (`undefined`), so nothing may follow from it.
 */
export function parseDesiredStates(args: readonly unknown[]): DesiredStates | undefined {
  const [list] = args;
  if (!Array.isArray(list) || list.length > MOST_ROWS) return undefined;
  const orders = new Map<string, { readonly at: number; readonly order: AppOrder }>();
  const unsupported: string[] = [];
  const bad: string[] = [];
  for (const [at, row] of list.entries()) {
    try {
      // A row says what shall be: not that somebody asks for something now, nor what is.
      const asRow = { request_update: false, cancel_transition: false, current_state: "PRESENT" };
      const asked = parseAppRequest({ ...Tree.parse(row), ...asRow });
      if (asked.is === "refused") {
        unsupported.push(`element ${at}: ${asked.why}`);
        continue;
      }
      const name = appName(asked.order.app);
      const before = orders.get(name);
      if (before) bad.push(`element ${before.at}: ${name} stands in element ${at} too, which counts`);
      orders.set(name, { at, order: asked.order });
    } catch (error) {
      bad.push(`element ${at}: ${error instanceof WireError ? error.message : "is no row"}`);
    }
  }
  return { orders: [...orders.values()].map(({ order }) => order), unsupported, bad };
}
