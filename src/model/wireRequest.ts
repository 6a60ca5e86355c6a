/**
 * `request_app_state` as it comes over the wire: keyword arguments in, an order or a refusal out. Where the original says
 * no, the sentence is the original's, since callers match on it (docs/wire.md).
 */
import * as z from "zod";
import type { Stage, Target } from "./app.ts";
import { APP_NAME } from "./names.ts";
import type { AppOrder } from "./order.ts";

/** The text of the one ERROR that a caller gets. */
export class WireError extends Error {
  override readonly name = "WireError";
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

const OURS: Readonly<Record<string, Target>> = { RUNNING: "RUNNING", PRESENT: "PRESENT", REMOVED: "REMOVED" };

/** A tag as Docker takes it (distribution/reference, `tag`). */
const VERSION = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;

const Key = z.union([
  z.int().positive(),
  z
    .string()
    .regex(/^[1-9]\d{0,15}$/)
    .transform(Number),
]);
const Version = z.string().regex(VERSION).or(z.literal(""));
const Name = z
  .string()
  .transform((name) => name.toLowerCase())
  .refine((name) => APP_NAME.test(name));
const Flag = z
  .boolean()
  .nullish()
  .transform((value) => value ?? false);
const Tree = z.record(z.string().max(256), z.unknown());

/** Reads one field; absent and null are the same. @throws {WireError} with the original's words. */
function field<Out>(
  from: Readonly<Record<string, unknown>>,
  key: string,
  schema: z.ZodType<Out>,
  words = key,
): Out | undefined {
  const value = from[key];
  if (value === undefined || value === null) return undefined;
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw new WireError(`failed to parse ${words}`);
  return parsed.data;
}

/** An account key: a number, or digits. What is neither gets the sentence that Go's library would say. */
function account(from: Readonly<Record<string, unknown>>, ...keys: readonly string[]): number {
  const value = keys.map((key) => from[key]).find((each) => each !== undefined && each !== null) ?? 0;
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  if (typeof value === "string" && /^\d{1,15}$/.test(value)) return Number(value);
  const shown = typeof value === "string" ? value : JSON.stringify(value);
  throw new WireError(`strconv.Atoi: parsing ${JSON.stringify((shown ?? "").slice(0, 40))}: invalid syntax`);
}

/** The sentence of the original's database for a word that it does not know. */
const constraint = (column: string, words: readonly string[]): WireError =>
  new WireError(
    `constraint failed: CHECK constraint failed: ${column} IN (${words.map((word) => `'${word}'`).join(", ")}) (275)`,
  );

/** @throws {WireError} whatever comes in; nothing else is thrown. */
export function parseAppRequest(kwargs: Readonly<Record<string, unknown>>): Asked {
  const stage = stageIn(kwargs);
  const key = keyIn(kwargs);
  const name = nameIn(kwargs);
  const target = targetIn(kwargs);
  checkCurrentState(kwargs);
  const present = field(kwargs, "present_version", Version) ?? "";
  const newest = field(kwargs, "newest_version", Version) ?? "";
  field(kwargs, "version", Version);
  field(kwargs, "environment", Tree);
  field(kwargs, "environment_template", Tree);
  field(kwargs, "ports", z.array(z.unknown()).max(1_000));
  field(kwargs, "new_docker_compose", Tree, "new docker compose");
  const compose = field(kwargs, "docker_compose", Tree, "docker compose");
  const wantsUpdate = field(kwargs, "request_update", Flag, "requestUpdate") ?? false;
  const cancels = field(kwargs, "cancel_transition", Flag, "cancelTransition") ?? false;
  const releaseKey = field(kwargs, "release_key", z.union([Key, z.literal(0)])) ?? 0;
  const requestor = account(kwargs, "requestor_account_key", "account_id");
  const owner = account(kwargs, "device_owner_account_key");
  const version = present || newest;

  const why = whyNot({ stage, target, compose, isUpdate: wantsUpdate && newest !== present, cancels, version });
  const known = OURS[target];
  if (why !== undefined || known === undefined) return { is: "refused", why: why ?? `${target} is no target` };
  return { is: "order", order: { app: { stage, key }, name, target: known, version, releaseKey, requestor, owner } };
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
  if (isUpdate) return "this agent does not update apps yet; stop the app and run the other version instead";
  if (version === "" && target !== "REMOVED") return "neither present_version nor newest_version says which version";
  return undefined;
}

function stageIn(kwargs: Readonly<Record<string, unknown>>): Stage {
  const stage = field(kwargs, "stage", z.string());
  if (!stage) throw new WireError("missing from payload stage");
  if (stage !== "DEV" && stage !== "PROD") throw constraint("stage", ["DEV", "PROD"]);
  return stage;
}

function keyIn(kwargs: Readonly<Record<string, unknown>>): number {
  const value = kwargs["app_key"];
  if (value === undefined || value === null || value === 0) throw new WireError("missing from payload app_key");
  return field(kwargs, "app_key", Key) ?? 0;
}

function nameIn(kwargs: Readonly<Record<string, unknown>>): string {
  const name = field(kwargs, "app_name", Name, "appName");
  if (!name) throw new WireError("failed to parse appName");
  return name;
}

function targetIn(kwargs: Readonly<Record<string, unknown>>): string {
  const asked = field(kwargs, "target_state", z.string(), "requestedState") ?? "";
  const target = asked || (field(kwargs, "manually_requested_state", z.string(), "requestedState") ?? "");
  if (!STATES.includes(target)) throw constraint("manually_requested_state", STATES);
  return MEANS[target] ?? target;
}

function checkCurrentState(kwargs: Readonly<Record<string, unknown>>): void {
  const current = field(kwargs, "current_state", z.string()) || (field(kwargs, "state", z.string()) ?? "");
  if (!STATES.includes(current)) throw constraint("current_state", STATES);
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
 * The answer of `get_requested_app_states`. One bad element does not spoil the others; an answer that is no list says
 * nothing at all (`undefined`), so nothing may follow from it.
 */
export function parseDesiredStates(args: readonly unknown[]): DesiredStates | undefined {
  const [list] = args;
  if (!Array.isArray(list)) return undefined;
  const orders: AppOrder[] = [];
  const unsupported: string[] = [];
  const bad: string[] = [];
  for (const [at, row] of list.entries()) {
    try {
      // A row says what shall be, not that somebody asks for something now.
      const asked = parseAppRequest({ ...Tree.parse(row), request_update: false, cancel_transition: false });
      if (asked.is === "order") orders.push(asked.order);
      else unsupported.push(`element ${at}: ${asked.why}`);
    } catch (error) {
      bad.push(`element ${at}: ${error instanceof WireError ? error.message : "is no row"}`);
    }
  }
  return { orders, unsupported, bad };
}
