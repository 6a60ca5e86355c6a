/** What was taken over from an original agent at the first start beside its database, and what that means from then on. */
import * as z from "zod";
import { appName } from "./app.ts";
import type { AppOrder } from "./order.ts";
import type { Settings } from "./settings.ts";
import { parseAppRequest, WireError } from "./wireRequest.ts";

export const TakenOver = z.object({
  /** ms since 1970 */
  at: z.number(),
  /** `PROD:42` */
  apps: z.array(z.string()),
  /** What was wanted of each then, and its container is made for: another revision needs another container. */
  revisions: z.record(z.string(), z.string()).default({}),
  skipped: z.array(z.object({ app: z.string(), why: z.string() })),
});
export type TakenOver = z.output<typeof TakenOver>;

/** How the original behaves, where ours is stricter: a fleet that moves must not break by it. */
export const ORIGINAL_DEFAULTS = {
  "security.enforce": "log",
  "containers.access": "full",
} as const satisfies Partial<Settings>;

/** A row of its table RequestedAppStates, as SQLite gives it. */
export type OriginalRow = Readonly<Record<string, unknown>>;

export interface Taken {
  readonly orders: readonly AppOrder[];
  readonly skipped: TakenOver["skipped"];
}

/**
 * Each row says what a request once said, so it is read as one. Apps that are wanted away are nobody's any more; the others
 * are an order or a reason why not. An update that was under way is the version that is there.
 */
export function ordersIn(rows: readonly OriginalRow[]): Taken {
  const orders: AppOrder[] = [];
  const skipped: TakenOver["skipped"] = [];
  for (const row of rows) {
    const app = `${String(row["stage"])}:${String(row["app_key"])}`.slice(0, 60);
    if (/^(REMOVED|UNINSTALLED|DELETING)$/.test(String(row["manually_requested_state"]))) continue;
    const said = readRow(row);
    if (typeof said === "string") skipped.push({ app, why: said });
    else if (orders.some((order) => appName(order.app) === appName(said.app)))
      skipped.push({ app, why: "it is there twice" });
    else orders.push(said);
  }
  return { orders, skipped };
}

function readRow(row: OriginalRow): AppOrder | string {
  const { docker_compose: compose, request_update: _, ...words } = row;
  const tree = (column: string) =>
    typeof row[column] === "string" && row[column] !== "" ? JSON.parse(row[column]) : {};
  try {
    const asked = parseAppRequest({
      ...words,
      environment: tree("environment_variables"),
      environment_template: tree("environment_template"),
      ports: typeof row["ports"] === "string" && row["ports"] !== "" ? JSON.parse(row["ports"]) : [],
      new_docker_compose: undefined,
      docker_compose: compose === undefined ? undefined : tree("docker_compose"),
    });
    return asked.is === "order" ? asked.order : asked.why;
  } catch (error) {
    if (error instanceof WireError || error instanceof SyntaxError) return error.message.slice(0, 200);
    throw error;
  }
}
