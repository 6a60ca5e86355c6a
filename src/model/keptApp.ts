/** One app as it stands on disk: a row with JSON in it, checked when it is read. */
import * as z from "zod";
import { type Memory, TARGETS, type WireState } from "./app.ts";
import { AgentError, ERROR_CODES, type ErrorCode } from "./errors.ts";
import { APP_NAME } from "./names.ts";
import type { AppOrder } from "./order.ts";
import { PortRules } from "./portRule.ts";
import { Secret } from "./secret.ts";

export interface KeptRow {
  readonly stage: string;
  readonly app_key: number;
  /** JSON of a `Kept`. */
  readonly app: string;
}

const Code = z.string().refine((code): code is ErrorCode => ERROR_CODES.includes(code as ErrorCode));
const Count = z.int().nonnegative();
const Hidden = z.string().transform((text) => new Secret(text));
const Wait = z.object({ because: Code, until: z.number().optional() });
const Kept = z.object({
  order: z.object({
    app: z.object({ stage: z.enum(["DEV", "PROD"]), key: z.int().positive() }),
    name: z.string().regex(APP_NAME),
    target: z.enum(TARGETS),
    version: z.string(),
    releaseKey: Count,
    requestor: Count,
    owner: Count,
    environment: Hidden.optional(),
    leftOut: z.array(z.string()).readonly().optional(),
    ports: PortRules.readonly().optional(),
    releases: z.record(z.string(), Count).optional(),
    credentialEpoch: Count.optional(),
    instanceKey: Count.optional(),
    registries: Hidden.optional(),
  }),
  memory: z.object({
    failures: Count,
    wait: Wait.optional(),
    setAside: Wait.extend({ version: z.string() }).optional(),
    wayBack: z.string().optional(),
    passedOver: z.string().optional(),
    isUninstalled: z.boolean().optional(),
  }),
  error: z.object({ code: Code, detail: z.string() }).optional(),
});

const WIRE_STATES: readonly string[] = [
  "PRESENT",
  "STARTING",
  "RUNNING",
  "FAILED",
  "STOPPING",
  "DELETING",
  "REMOVED",
  "UNINSTALLED",
] satisfies WireState[];

/** Reports that go out whatever happens to this process. */
export const Untold = z.array(
  z.object({
    app: z.object({ stage: z.enum(["DEV", "PROD"]), key: z.int().positive() }),
    state: z.string().refine((word): word is WireState => WIRE_STATES.includes(word)),
    version: z.string(),
    updateStatus: z.enum(["pending_remote_confirmation", "completed", "canceled"]),
  }),
);

interface KeptApp {
  readonly order: AppOrder;
  readonly memory: Memory;
  readonly error?: AgentError | undefined;
}

/** What is put into the row. */
export const rowOf = ({ order, memory, error }: KeptApp): z.input<typeof Kept> => ({
  order: withoutSecrets(order),
  memory,
  ...(error && { error: { code: error.code, detail: error.detail.slice(0, 2_000) } }),
});

function withoutSecrets({ environment, registries, ...order }: AppOrder) {
  return {
    ...order,
    ...(environment && { environment: environment.reveal() }),
    ...(registries && { registries: registries.reveal() }),
  };
}

/** @throws {Error} for a row that is none. */
export function readRow({ stage, app_key: key, app }: KeptRow): KeptApp {
  const { order, memory, error } = Kept.parse(JSON.parse(app));
  if (order.app.stage !== stage || order.app.key !== key) throw new Error("the row is about another app");
  const kept = Object.fromEntries(
    Object.entries(order).filter(([, value]) => value !== undefined),
  ) as unknown as AppOrder;
  return { order: kept, memory, error: error && new AgentError(error.code, error.detail) };
}
