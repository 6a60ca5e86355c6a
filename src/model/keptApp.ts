/** One app as it stands on disk: a row with JSON in it, checked when it is read. */
import * as z from "zod";
import { type Memory, TARGETS } from "./app.ts";
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
const Kept = z.object({
  order: z.object({
    app: z.object({ stage: z.enum(["DEV", "PROD"]), key: z.int().positive() }),
    name: z.string().regex(APP_NAME),
    target: z.enum(TARGETS),
    version: z.string(),
    releaseKey: Count,
    requestor: Count,
    owner: Count,
    environment: z
      .string()
      .transform((text) => new Secret(text))
      .optional(),
    leftOut: z.array(z.string()).readonly().optional(),
    ports: PortRules.readonly().optional(),
  }),
  memory: z.object({ failures: Count, wait: z.object({ because: Code, until: z.number().optional() }).optional() }),
  error: z.object({ code: Code, detail: z.string() }).optional(),
});

interface KeptApp {
  readonly order: AppOrder;
  readonly memory: Memory;
  readonly error?: AgentError | undefined;
}

/** What is put into the row. */
export const rowOf = ({ order: { environment, ...order }, memory, error }: KeptApp): z.input<typeof Kept> => ({
  order: { ...order, ...(environment && { environment: environment.reveal() }) },
  memory,
  ...(error && { error: { code: error.code, detail: error.detail.slice(0, 2_000) } }),
});

/** @throws {Error} for a row that is none. */
export function readRow({ stage, app_key: key, app }: KeptRow): KeptApp {
  const { order, memory, error } = Kept.parse(JSON.parse(app));
  if (order.app.stage !== stage || order.app.key !== key) throw new Error("the row is about another app");
  const { environment, leftOut, ports, ...plain } = order;
  const kept = {
    ...plain,
    ...(environment && { environment }),
    ...(leftOut && { leftOut }),
    ...(ports && { ports }),
  };
  return { order: kept, memory, error: error && new AgentError(error.code, error.detail) };
}
